// A SoapySDR receiver that plays a cu8 file as CS16, as a plug-in for the unmodified library.
//
//     driver=omsdr_rx     OMSDR_FAKE_SAMPLES: the file; after it noise of one step
//                         OMSDR_FAKE_SOAPY: folder; gets events, and is looked at for the files
//     overflow            one is told, and 1000 samples are lost, with hardware time
//     gone                every call fails
//     silent              nothing comes

#include <SoapySDR/Constants.h>
#include <SoapySDR/Device.hpp>
#include <SoapySDR/Errors.hpp>
#include <SoapySDR/Registry.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

std::string path_of(const std::string &name)
{
	const char *folder = std::getenv("OMSDR_FAKE_SOAPY");
	return std::string(folder ? folder : ".") + "/" + name;
}

bool is_there(const std::string &name) { return std::ifstream(path_of(name)).good(); }

class Receiver : public SoapySDR::Device
{
public:
	Receiver()
	{
		const char *path = std::getenv("OMSDR_FAKE_SAMPLES");
		std::ifstream file(path ? path : "", std::ios::binary);
		samples_.assign(std::istreambuf_iterator<char>(file), {});
	}
	std::string getDriverKey() const override { return "omsdr_rx"; }
	std::string getHardwareKey() const override { return "fake receiver"; }
	SoapySDR::Kwargs getHardwareInfo() const override { return {{"serial", "42"}}; }
	size_t getNumChannels(const int direction) const override { return direction == SOAPY_SDR_RX; }
	std::vector<std::string> getStreamFormats(const int, const size_t) const override { return {"CS16", "CF32"}; }
	bool hasGainMode(const int, const size_t) const override { return true; }
	void setGainMode(const int, const size_t, const bool automatic) override { event(automatic ? "auto" : "manual"); }
	void setGain(const int, const size_t, const double gain) override
	{
		gain_ = static_cast<int>(gain); // whole dB, as some radios have it
		event("gain " + std::to_string(gain));
	}
	double getGain(const int, const size_t) const override { return gain_; }
	SoapySDR::ArgInfoList getSettingInfo() const override
	{
		SoapySDR::ArgInfo info;
		info.key = "biastee";
		return {info};
	}
	void writeSetting(const std::string &key, const std::string &value) override { event(key + " " + value); }
	void setFrequency(const int, const size_t, const double hz, const SoapySDR::Kwargs &) override
	{
		frequency_ = hz;
		event("frequency " + std::to_string(static_cast<long long>(hz)));
	}
	double getFrequency(const int, const size_t) const override { return frequency_; }
	void setSampleRate(const int, const size_t, const double rate) override
	{
		rate_ = rate;
		event("sample_rate " + std::to_string(static_cast<long long>(rate)));
	}
	double getSampleRate(const int, const size_t) const override { return rate_; }
	SoapySDR::Stream *setupStream(const int, const std::string &format, const std::vector<size_t> &,
	                              const SoapySDR::Kwargs &) override
	{
		event("stream " + format);
		return reinterpret_cast<SoapySDR::Stream *>(this);
	}
	void closeStream(SoapySDR::Stream *) override { event("close"); }
	int activateStream(SoapySDR::Stream *, const int, const long long, const size_t) override
	{
		begun_ = Clock::now();
		return is_there("gone") ? SOAPY_SDR_STREAM_ERROR : 0;
	}
	int deactivateStream(SoapySDR::Stream *, const int, const long long) override { return 0; }

	int readStream(SoapySDR::Stream *, void *const *buffers, const size_t count, int &flags, long long &time_ns,
	               const long timeout_us) override
	{
		if (is_there("gone"))
			return SOAPY_SDR_STREAM_ERROR;
		if (is_there("silent")) {
			std::this_thread::sleep_for(std::chrono::microseconds(timeout_us));
			return SOAPY_SDR_TIMEOUT;
		}
		if (is_there("overflow")) {
			std::remove(path_of("overflow").c_str());
			number_ += 1000;
			return SOAPY_SDR_OVERFLOW;
		}
		const size_t taken = std::min<size_t>(count, 8000);
		auto *values = static_cast<int16_t *>(buffers[0]);
		for (size_t i = 0; i < 2 * taken; i++) {
			const size_t place = 2 * number_ + i;
			const double value = place < samples_.size() ? static_cast<uint8_t>(samples_[place]) : 126 + std::rand() % 4;
			values[i] = static_cast<int16_t>((value - 127.5) * 256.0);
		}
		flags = SOAPY_SDR_HAS_TIME;
		time_ns = static_cast<long long>(1e9 * number_ / rate_);
		number_ += taken;
		std::this_thread::sleep_until(begun_ + std::chrono::duration_cast<Clock::duration>(
		                                          std::chrono::duration<double>(number_ / rate_)));
		return static_cast<int>(taken);
	}

private:
	std::vector<char> samples_;
	double rate_ = 1e6, frequency_ = 0;
	int gain_ = 0;
	size_t number_ = 0;
	Clock::time_point begun_;

	static void event(const std::string &text) { std::ofstream(path_of("events"), std::ios::app) << text << "\n"; }
};

SoapySDR::KwargsList find(const SoapySDR::Kwargs &arguments)
{
	const auto driver = arguments.find("driver");
	if (driver != arguments.end() && driver->second != "omsdr_rx")
		return {};
	return {{{"driver", "omsdr_rx"}, {"label", "fake receiver"}, {"serial", "42"}}};
}

SoapySDR::Device *make(const SoapySDR::Kwargs &) { return new Receiver; }

SoapySDR::Registry registration("omsdr_rx", &find, &make, SOAPY_SDR_ABI_VERSION);

} // namespace
