/* A HackRF that transmits into a folder: what hackrf_transfer and omsdr use of libhackrf 2022.09.

   OMSDR_FAKE_HACKRF   folder; gets tx.cs8 (every byte that left), events (one line each), state (tx|off)
   OMSDR_FAKE_FAULT    absent | busy | drop | stall | unplug | underrun | old_firmware (counts no underruns)

   Four transfers of 262144 bytes are under way at once and leave one after another, each in the time
   that its samples take. "drop" is an old library: what is under way at the end is lost, and a last
   transfer that is not full goes out with what was in it before. "stall": nothing leaves any more after
   the first transfer. "unplug": the second transfer fails. */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libhackrf/hackrf.h>

#define BYTES 262144
#define DEPTH 4

struct hackrf_device {
	double rate;
	hackrf_sample_block_cb_fn callback;
	hackrf_tx_block_complete_cb_fn complete;
	hackrf_flush_cb_fn flush;
	void *flush_ctx, *tx_ctx, *rx_ctx;
	volatile int streaming, transmitting, running;
	pthread_t thread;
	uint8_t buffer[DEPTH][BYTES];
	int length[DEPTH];
};

static char *path_of(const char *name)
{
	static __thread char path[1024];
	const char *folder = getenv("OMSDR_FAKE_HACKRF");
	snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
	return path;
}

static int fault(const char *name)
{
	const char *given = getenv("OMSDR_FAKE_FAULT");
	return given && !strcmp(given, name);
}

static void event(const char *format, double value)
{
	FILE *file = fopen(path_of("events"), "a");
	if (file) {
		fprintf(file, format, value);
		fputc('\n', file);
		fclose(file);
	}
}

static void state(const char *word)
{
	FILE *file = fopen(path_of("state"), "w");
	if (file) {
		fputs(word, file);
		fclose(file);
	}
}

static void wait_s(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	nanosleep(&t, NULL);
}

/* Ask for the next transfer; 0 when there is none. */
static int fill(hackrf_device *device, int slot)
{
	hackrf_transfer transfer = {device, device->buffer[slot], BYTES, BYTES, device->rx_ctx, device->tx_ctx};
	if (device->callback(&transfer))
		return 0;
	int length = fault("drop") ? BYTES : transfer.valid_length;
	int padded = (length + 511) / 512 * 512;
	if (!fault("drop"))
		memset(device->buffer[slot] + length, 0, (size_t)(padded - length));
	device->length[slot] = padded;
	return 1;
}

static void *transmit(void *argument)
{
	hackrf_device *device = argument;
	int slot = 0, count = 0;
	while (device->running && device->length[slot]) {
		wait_s(device->length[slot] / 2.0 / device->rate);
		if (fault("stall") && count) {
			while (device->running)
				wait_s(0.01);
			break;
		}
		int lost = fault("unplug") && count;
		hackrf_transfer transfer = {device, device->buffer[slot], BYTES, device->length[slot], NULL, device->tx_ctx};
		if (!lost) {
			FILE *file = fopen(path_of("tx.cs8"), "ab");
			if (file) {
				fwrite(device->buffer[slot], 1, (size_t)device->length[slot], file);
				fclose(file);
			}
		}
		count++;
		device->length[slot] = 0;
		if (device->complete)
			device->complete(&transfer, !lost);
		if (lost)
			break;
		if (device->streaming && !fill(device, slot)) {
			device->streaming = 0;
			if (fault("drop"))
				break;
		}
		slot = (slot + 1) % DEPTH;
	}
	device->streaming = 0;
	if (device->flush && device->running)
		device->flush(device->flush_ctx, 1);
	return NULL;
}

static void *receive(void *argument)
{
	hackrf_device *device = argument;
	memset(device->buffer[0], 0, BYTES);
	while (device->running) {
		hackrf_transfer transfer = {device, device->buffer[0], BYTES, BYTES, device->rx_ctx, NULL};
		wait_s(BYTES / 2.0 / device->rate);
		if (device->callback(&transfer))
			break;
	}
	device->streaming = 0;
	return NULL;
}

static int start(hackrf_device *device, void *(*loop)(void *))
{
	device->streaming = device->running = 1;
	return pthread_create(&device->thread, NULL, loop, device) ? HACKRF_ERROR_THREAD : HACKRF_SUCCESS;
}

static int stop(hackrf_device *device)
{
	device->streaming = 0;
	if (device->running) {
		device->running = 0;
		pthread_join(device->thread, NULL);
	}
	return HACKRF_SUCCESS;
}

int hackrf_init(void) { return HACKRF_SUCCESS; }
int hackrf_exit(void) { return HACKRF_SUCCESS; }
const char *hackrf_library_version(void) { return "fake"; }
const char *hackrf_library_release(void) { return "fake"; }

int hackrf_open_by_serial(const char *const serial, hackrf_device **device)
{
	if (fault("absent") || (serial && strcmp(serial, "00000000cafe0001") && strcmp(serial, "cafe0001")))
		return HACKRF_ERROR_NOT_FOUND;
	if (fault("busy"))
		return HACKRF_ERROR_LIBUSB;
	*device = calloc(1, sizeof **device);
	(*device)->rate = 10e6;
	event("open", 0);
	return HACKRF_SUCCESS;
}

int hackrf_open(hackrf_device **device) { return hackrf_open_by_serial(NULL, device); }

int hackrf_start_tx(hackrf_device *device, hackrf_sample_block_cb_fn callback, void *context)
{
	device->callback = callback;
	device->tx_ctx = context;
	device->streaming = 1;
	event("start_tx", 0);
	state("tx");
	device->transmitting = 1;
	for (int slot = 0; slot < DEPTH; slot++) {
		device->length[slot] = 0;
		if (device->streaming && !fill(device, slot))
			device->streaming = 0;
	}
	return start(device, transmit);
}

int hackrf_stop_tx(hackrf_device *device)
{
	stop(device);
	if (device->transmitting)
		event("stop_tx", 0);
	device->transmitting = 0;
	state("off");
	return HACKRF_SUCCESS;
}

int hackrf_start_rx(hackrf_device *device, hackrf_sample_block_cb_fn callback, void *context)
{
	device->callback = callback;
	device->rx_ctx = context;
	event("start_rx", 0);
	state("off");
	return start(device, receive);
}

int hackrf_stop_rx(hackrf_device *device) { return stop(device); }

int hackrf_close(hackrf_device *device)
{
	if (!device)
		return HACKRF_SUCCESS;
	hackrf_stop_tx(device);
	event("close", 0);
	free(device);
	return HACKRF_SUCCESS;
}

int hackrf_is_streaming(hackrf_device *device)
{
	return device->streaming || (device->running && device->flush) ? HACKRF_TRUE : HACKRF_ERROR_STREAMING_EXIT_CALLED;
}

int hackrf_set_tx_block_complete_callback(hackrf_device *device, hackrf_tx_block_complete_cb_fn callback)
{
	device->complete = callback;
	return HACKRF_SUCCESS;
}

int hackrf_enable_tx_flush(hackrf_device *device, hackrf_flush_cb_fn callback, void *context)
{
	device->flush = callback;
	device->flush_ctx = context;
	return HACKRF_SUCCESS;
}

int hackrf_get_m0_state(hackrf_device *device, hackrf_m0_state *value)
{
	(void)device;
	if (fault("old_firmware"))
		return HACKRF_ERROR_USB_API_VERSION;
	memset(value, 0, sizeof *value);
	value->num_shortfalls = fault("underrun") ? 3 : 0;
	value->longest_shortfall = fault("underrun") ? 512 : 0;
	return HACKRF_SUCCESS;
}

int hackrf_set_sample_rate(hackrf_device *device, const double rate)
{
	device->rate = rate;
	event("sample_rate %.0f", rate);
	return HACKRF_SUCCESS;
}

int hackrf_set_freq(hackrf_device *device, const uint64_t frequency)
{
	(void)device;
	event("frequency %.0f", (double)frequency);
	return HACKRF_SUCCESS;
}

int hackrf_set_freq_explicit(hackrf_device *device, const uint64_t i, const uint64_t l, const enum rf_path_filter p)
{
	(void)device, (void)i, (void)l, (void)p;
	return HACKRF_SUCCESS;
}

int hackrf_set_baseband_filter_bandwidth(hackrf_device *device, const uint32_t bandwidth)
{
	(void)device;
	event("filter %.0f", bandwidth);
	return HACKRF_SUCCESS;
}

uint32_t hackrf_compute_baseband_filter_bw(const uint32_t bandwidth) { return bandwidth; }

int hackrf_set_txvga_gain(hackrf_device *device, uint32_t value)
{
	(void)device;
	event("gain %.0f", value);
	return HACKRF_SUCCESS;
}

int hackrf_set_amp_enable(hackrf_device *device, const uint8_t value)
{
	(void)device;
	event("amplifier %.0f", value);
	return HACKRF_SUCCESS;
}

int hackrf_set_antenna_enable(hackrf_device *device, const uint8_t value) { (void)device, (void)value; return HACKRF_SUCCESS; }
int hackrf_set_lna_gain(hackrf_device *device, uint32_t value) { (void)device, (void)value; return HACKRF_SUCCESS; }
int hackrf_set_vga_gain(hackrf_device *device, uint32_t value) { (void)device, (void)value; return HACKRF_SUCCESS; }
int hackrf_set_hw_sync_mode(hackrf_device *device, const uint8_t value) { (void)device, (void)value; return HACKRF_SUCCESS; }
const char *hackrf_filter_path_name(const enum rf_path_filter path) { (void)path; return "fake"; }

const char *hackrf_error_name(enum hackrf_error code)
{
	switch (code) {
	case HACKRF_SUCCESS: return "HACKRF_SUCCESS";
	case HACKRF_TRUE: return "HACKRF_TRUE";
	case HACKRF_ERROR_NOT_FOUND: return "HACKRF_ERROR_NOT_FOUND";
	case HACKRF_ERROR_BUSY: return "HACKRF_ERROR_BUSY";
	case HACKRF_ERROR_LIBUSB: return "HACKRF_ERROR_LIBUSB";
	case HACKRF_ERROR_STREAMING_EXIT_CALLED: return "HACKRF_ERROR_STREAMING_EXIT_CALLED";
	default: return "HACKRF_ERROR_OTHER";
	}
}
