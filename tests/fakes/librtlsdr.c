/* An RTL-SDR dongle that plays a cu8 file, as the library that pyrtlsdr and rtl_tcp load.
 *
 *     OMSDR_FAKE_RTL   folder of
 *       samples.cu8    played once, then noise of one step; every stream begins anew unless "goes_on"
 *       events         what the dongle was asked for, a line each
 *       control        words, looked at before each transfer:
 *         devices=N serials=a,b   what is plugged in (default one, 00000001)
 *         busy | access           cannot be opened
 *         unplug                  transfers end, as without a device; opening fails
 *         freeze                  nothing comes, and cancelling works; hang: nor does that
 *         short                   transfers of odd lengths
 *         skip=N                  N samples are lost once, silently
 *         shift=HZ                everything is heard so much lower: a crystal that is off
 *         speed=X                 times real time; goes_on: a stream goes on where the last ended
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
	volatile int running, cancelled;
	uint32_t rate, center;
	double phase;
} rtlsdr_dev_t;
typedef void (*callback_t)(unsigned char *, uint32_t, void *);

static long long position; /* byte of the file, kept from opening to opening */
static const int GAINS[] = {0, 9, 14, 27, 37, 77, 87, 125, 144, 157, 166, 197, 207, 229, 254,
                            280, 297, 328, 338, 364, 372, 386, 402, 421, 434, 439, 445, 480, 496};

static FILE *file(const char *name, const char *mode)
{
	char path[4096];
	const char *folder = getenv("OMSDR_FAKE_RTL");
	snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
	return fopen(path, mode);
}

static int event(const char *what, long long value)
{
	FILE *log = file("events", "a");
	if (log) {
		fprintf(log, "%s %lld\n", what, value);
		fclose(log);
	}
	return 0;
}

/* Looks a word up; returns what stands behind its "=", "" for a bare word, NULL if it is not there. */
static const char *control(const char *word)
{
	static char text[4096];
	static char value[1024];
	FILE *given = file("control", "r");
	if (!given)
		return NULL;
	text[fread(text, 1, sizeof text - 1, given)] = 0;
	fclose(given);
	for (char *token = strtok(text, " \n"); token; token = strtok(NULL, " \n")) {
		size_t n = strlen(word);
		if (!strncmp(token, word, n) && (token[n] == '=' || !token[n])) {
			snprintf(value, sizeof value, "%s", token[n] ? token + n + 1 : "");
			return value;
		}
	}
	return NULL;
}

static double number(const char *word, double otherwise)
{
	const char *value = control(word);
	return value ? atof(value) : otherwise;
}

uint32_t rtlsdr_get_device_count(void) { return control("unplug") ? 0 : (uint32_t)number("devices", 1); }
const char *rtlsdr_get_device_name(uint32_t index) { return index < 8 ? "Fake RTL2838" : ""; }

int rtlsdr_get_device_usb_strings(uint32_t index, char *maker, char *product, char *serial)
{
	if (control("unplug"))
		return -2;
	char list[1024];
	const char *given = control("serials");
	snprintf(list, sizeof list, "%s", given ? given : "00000001");
	char *found = strtok(list, ","), *next = found;
	for (uint32_t i = 0; i < index && next; i++)
		if ((next = strtok(NULL, ",")))
			found = next;
	if (maker)
		strcpy(maker, "Realtek");
	if (product)
		strcpy(product, "Fake dongle");
	if (serial)
		strcpy(serial, found ? found : "");
	return 0;
}

int rtlsdr_get_index_by_serial(const char *serial)
{
	char own[256];
	for (uint32_t i = 0; i < rtlsdr_get_device_count(); i++)
		if (!rtlsdr_get_device_usb_strings(i, NULL, NULL, own) && !strcmp(own, serial))
			return (int)i;
	return -3;
}

int rtlsdr_open(rtlsdr_dev_t **device, uint32_t index)
{
	if (control("unplug"))
		return -4;
	if (control("busy"))
		return -6;
	if (control("access"))
		return -3;
	*device = calloc(1, sizeof **device);
	(*device)->rate = 2048000;
	return event("open", index);
}

int rtlsdr_close(rtlsdr_dev_t *device)
{
	free(device);
	return event("close", 0);
}

int rtlsdr_set_center_freq(rtlsdr_dev_t *device, uint32_t hz)
{
	device->center = hz;
	return event("center", hz);
}
uint32_t rtlsdr_get_center_freq(rtlsdr_dev_t *device) { return device->center; }
int rtlsdr_set_sample_rate(rtlsdr_dev_t *device, uint32_t rate)
{
	device->rate = rate;
	return event("rate", rate);
}
uint32_t rtlsdr_get_sample_rate(rtlsdr_dev_t *device) { return device->rate; }
int rtlsdr_get_tuner_type(rtlsdr_dev_t *device) { return device ? 5 : 0; }
int rtlsdr_get_tuner_gains(rtlsdr_dev_t *device, int *gains)
{
	if (device && gains)
		memcpy(gains, GAINS, sizeof GAINS);
	return sizeof GAINS / sizeof *GAINS;
}

#define SETTER(name, word, type) \
	int name(rtlsdr_dev_t *device, type value) { return device ? event(word, (long long)value) : -1; }
SETTER(rtlsdr_set_freq_correction, "ppm", int)
SETTER(rtlsdr_set_tuner_gain, "gain", int)
SETTER(rtlsdr_set_tuner_gain_mode, "gain_mode", int)
SETTER(rtlsdr_set_agc_mode, "agc", int)
SETTER(rtlsdr_set_bias_tee, "bias_tee", int)
SETTER(rtlsdr_set_direct_sampling, "direct_sampling", int)
SETTER(rtlsdr_set_offset_tuning, "offset_tuning", int)
SETTER(rtlsdr_set_dithering, "dithering", int)
SETTER(rtlsdr_set_testmode, "testmode", int)
SETTER(rtlsdr_set_gpio_output, "gpio_output", uint8_t)
SETTER(rtlsdr_set_gpio_input, "gpio_input", uint8_t)
SETTER(rtlsdr_set_gpio_byte, "gpio_byte", int)
SETTER(rtlsdr_set_tuner_bandwidth, "bandwidth", uint32_t)

#define GETTER(name, type) \
	int name(rtlsdr_dev_t *device, type *value) { return device && value ? (*value = 0) : -1; }
GETTER(rtlsdr_get_gpio_byte, int)
GETTER(rtlsdr_set_gpio_status, int)

int rtlsdr_get_freq_correction(rtlsdr_dev_t *device) { return device ? 0 : -1; }
int rtlsdr_get_tuner_gain(rtlsdr_dev_t *device) { return device ? GAINS[28] : 0; }
int rtlsdr_set_tuner_if_gain(rtlsdr_dev_t *device, int stage, int gain) { return device ? stage * 0 + gain * 0 : -1; }
int rtlsdr_set_gpio_bit(rtlsdr_dev_t *device, uint8_t gpio, int value) { return device ? gpio * 0 + value * 0 : -1; }
int rtlsdr_get_gpio_bit(rtlsdr_dev_t *device, uint8_t gpio, int *value) { return device ? (*value = gpio * 0) : -1; }
int rtlsdr_set_xtal_freq(rtlsdr_dev_t *device, uint32_t rtl, uint32_t tuner) { return device ? (int)(rtl * 0 + tuner * 0) : -1; }
int rtlsdr_get_xtal_freq(rtlsdr_dev_t *device, uint32_t *rtl, uint32_t *tuner)
{
	*rtl = *tuner = 28800000;
	return device ? 0 : -1;
}
int rtlsdr_reset_buffer(rtlsdr_dev_t *device) { return device ? 0 : -1; }

static void fill(rtlsdr_dev_t *device, unsigned char *buffer, uint32_t n_bytes)
{
	FILE *samples = file("samples.cu8", "rb");
	size_t got = 0;
	if (samples) {
		fseek(samples, (long)position, SEEK_SET);
		got = fread(buffer, 1, n_bytes, samples);
		fclose(samples);
	}
	position += n_bytes;
	for (size_t i = got; i < n_bytes; i++)
		buffer[i] = (unsigned char)(126 + rand() % 4);
	double step = -2.0 * M_PI * number("shift", 0.0) / device->rate;
	if (step == 0.0)
		return;
	for (uint32_t i = 0; i + 1 < n_bytes; i += 2) {
		double re = buffer[i] - 127.5, im = buffer[i + 1] - 127.5;
		double c = cos(device->phase), s = sin(device->phase);
		buffer[i] = (unsigned char)fmin(255, fmax(0, rint(re * c - im * s + 127.5)));
		buffer[i + 1] = (unsigned char)fmin(255, fmax(0, rint(re * s + im * c + 127.5)));
		device->phase = fmod(device->phase + step, 2.0 * M_PI);
	}
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void sleep_s(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - floor(seconds)))};
	if (seconds > 0)
		nanosleep(&t, NULL);
}

int rtlsdr_read_async(rtlsdr_dev_t *device, callback_t callback, void *context, uint32_t n, uint32_t n_bytes)
{
	uint32_t size = n_bytes ? n_bytes : 262144, turn = n * 0;
	unsigned char *buffer = malloc(size);
	double due = now();
	if (!control("goes_on"))
		position = 0;
	device->running = 1;
	device->cancelled = 0;
	event("stream", size);
	while (!device->cancelled) {
		if (control("unplug"))
			break;
		if (control("hang")) {
			while (control("hang"))
				sleep_s(0.05);
			continue;
		}
		if (control("freeze")) {
			sleep_s(0.02);
			due = now();
			continue;
		}
		uint32_t length = control("short") ? size / 2 - 512 * (++turn % 7) : size;
		double speed = number("speed", 1.0);
		if (control("skip")) {
			double skipped = number("skip", 0);
			position += 2 * (long long)skipped;
			due += skipped / device->rate / speed;
			FILE *cleared = file("control", "w");
			if (cleared)
				fclose(cleared);
		}
		fill(device, buffer, length);
		due += length / 2.0 / device->rate / speed;
		sleep_s(due - now());
		callback(buffer, length, context);
	}
	free(buffer);
	device->running = 0;
	return 0;
}

int rtlsdr_wait_async(rtlsdr_dev_t *device, callback_t callback, void *context)
{
	return rtlsdr_read_async(device, callback, context, 0, 0);
}

int rtlsdr_cancel_async(rtlsdr_dev_t *device)
{
	if (!device->running)
		return -2;
	device->cancelled = 1;
	return 0;
}

int rtlsdr_read_sync(rtlsdr_dev_t *device, void *buffer, int n_bytes, int *n_read)
{
	fill(device, buffer, (uint32_t)n_bytes);
	*n_read = n_bytes;
	return 0;
}
