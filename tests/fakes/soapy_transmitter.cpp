// A SoapySDR transmitter that stores what it is sent, as a plug-in for the unmodified library.
//
//     driver=omsdr_tx              OMSDR_FAKE_SOAPY: folder; gets tx.cf32, events and state (tx|off)
//     driver=omsdr_tx,key=hackrf   holds back what does not fill 16 buffers, like the HackRF's driver
//
// OMSDR_FAKE_FAULT   underrun: one is told in the middle · refuse: no sample is taken
//                    detuned: 5 kHz beside · loud: a gain of 20 dB whatever is set
//                    stall: writing never comes back · receiver: has no transmitter

#include <SoapySDR/Device.hpp>
#include <SoapySDR/Registry.hpp>
#include <SoapySDR/Errors.hpp>
#include <SoapySDR/Constants.h>

#include <chrono>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

const size_t MTU = 16384;
const size_t HELD_BUFFERS = 16;

std::string path_of(const std::string &name)
{
	const char *folder = std::getenv("OMSDR_FAKE_SOAPY");
	return std::string(folder ? folder : ".") + "/" + name;
}

bool fault(const char *name)
{
	const char *given = std::getenv("OMSDR_FAKE_FAULT");
	return given && !std::strcmp(given, name);
}

class Transmitter : public SoapySDR::Device
{
public:
	explicit Transmitter(const std::string &key) : key_(key) { event("open"); }
	~Transmitter() override { event("close"); }

	std::string getDriverKey() const override { return key_; }
	std::string getHardwareKey() const override { return "fake"; }
	size_t getNumChannels(const int direction) const override
	{
		return direction == SOAPY_SDR_TX && !fault("receiver");
	}

	std::vector<std::string> getStreamFormats(const int, const size_t) const override { return {"CF32"}; }
	size_t getStreamMTU(SoapySDR::Stream *) const override { return MTU; }
	SoapySDR::Stream *setupStream(const int, const std::string &, const std::vector<size_t> &,
	                              const SoapySDR::Kwargs &) override
	{
		return reinterpret_cast<SoapySDR::Stream *>(this);
	}
	void closeStream(SoapySDR::Stream *) override {}

	int activateStream(SoapySDR::Stream *, const int, const long long, const size_t) override
	{
		event("activate");
		state("tx");
		waiting_.clear();
		ended_ = false;
		return 0;
	}

	int deactivateStream(SoapySDR::Stream *, const int, const long long) override
	{
		event("deactivate");
		state("off");
		waiting_.clear(); // what was held back is lost
		return 0;
	}

	int writeStream(SoapySDR::Stream *, const void *const *buffers, const size_t count, int &flags,
	                const long long, const long timeout_us) override
	{
		if (fault("refuse")) {
			std::this_thread::sleep_for(std::chrono::microseconds(timeout_us));
			return SOAPY_SDR_TIMEOUT;
		}
		while (fault("stall"))
			std::this_thread::sleep_for(std::chrono::seconds(1));
		const auto *samples = static_cast<const std::complex<float> *>(buffers[0]);
		const size_t taken = std::min(count, MTU);
		std::this_thread::sleep_for(std::chrono::duration<double>(taken / rate_));
		waiting_.insert(waiting_.end(), samples, samples + taken);
		const bool holds_back = key_ == "hackrf";
		if ((flags & SOAPY_SDR_END_BURST) && taken == count)
			ended_ = true;
		const size_t least = holds_back ? HELD_BUFFERS * MTU : ended_ ? 1 : MTU;
		if (waiting_.size() >= least)
			leave(holds_back ? waiting_.size() / least * least : waiting_.size());
		return static_cast<int>(taken);
	}

	int readStreamStatus(SoapySDR::Stream *, size_t &, int &flags, long long &, const long) override
	{
		if (fault("underrun") && !told_) {
			told_ = true;
			flags = 0;
			return SOAPY_SDR_UNDERFLOW;
		}
		if (!ended_)
			return SOAPY_SDR_TIMEOUT;
		ended_ = false;
		flags = SOAPY_SDR_END_BURST;
		return 0;
	}

	void setFrequency(const int, const size_t, const double frequency, const SoapySDR::Kwargs &) override
	{
		frequency_ = frequency;
		event("frequency " + std::to_string(static_cast<long long>(frequency)));
	}
	void setSampleRate(const int, const size_t, const double rate) override
	{
		rate_ = rate;
		event("sample_rate " + std::to_string(static_cast<long long>(rate)));
	}
	double getSampleRate(const int, const size_t) const override { return rate_; }
	double getFrequency(const int, const size_t) const override { return frequency_ + (fault("detuned") ? 5e3 : 0); }
	void setGain(const int, const size_t, const double gain) override
	{
		gain_ = gain;
		event("gain " + std::to_string(gain));
	}
	double getGain(const int, const size_t) const override { return fault("loud") ? 20 : gain_; }

private:
	std::string key_;
	double rate_ = 1e6, frequency_ = 0, gain_ = 0;
	bool ended_ = false, told_ = false;
	std::vector<std::complex<float>> waiting_;

	void leave(const size_t count)
	{
		std::ofstream file(path_of("tx.cf32"), std::ios::binary | std::ios::app);
		file.write(reinterpret_cast<const char *>(waiting_.data()), count * sizeof(waiting_[0]));
		waiting_.erase(waiting_.begin(), waiting_.begin() + count);
	}
	static void event(const std::string &text) { std::ofstream(path_of("events"), std::ios::app) << text << "\n"; }
	static void state(const std::string &word) { std::ofstream(path_of("state")) << word; }
};

SoapySDR::KwargsList find(const SoapySDR::Kwargs &arguments)
{
	const auto driver = arguments.find("driver");
	if (driver != arguments.end() && driver->second != "omsdr_tx")
		return {};
	SoapySDR::Kwargs found;
	found["driver"] = "omsdr_tx";
	found["label"] = "fake transmitter";
	const auto key = arguments.find("key");
	if (key != arguments.end())
		found["key"] = key->second;
	return {found};
}

SoapySDR::Device *make(const SoapySDR::Kwargs &arguments)
{
	const auto key = arguments.find("key");
	return new Transmitter(key == arguments.end() ? "omsdr_tx" : key->second);
}

SoapySDR::Registry registration("omsdr_tx", &find, &make, SOAPY_SDR_ABI_VERSION);

} // namespace
