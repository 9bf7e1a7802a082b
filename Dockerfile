# omsdr in a container:
#   docker build -t omsdr .
#   docker run --rm --device /dev/bus/usb omsdr receive
#   docker run --rm --device /dev/bus/usb -v "$PWD/meters.toml:/meters.toml:ro" omsdr receive --keys /meters.toml
FROM python:3.13-slim

# the RTL-SDR library comes with pyrtlsdr for x86_64 and aarch64; elsewhere that of the system is used
RUN apt-get update \
    && apt-get install --no-install-recommends -y rtl-sdr hackrf \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /omsdr
COPY pyproject.toml README.md LICENSE ./
COPY sdr sdr
COPY dsp dsp
COPY protocol protocol
COPY recordings/street_868.9M_2400k.cu8 recordings/

# the kernels are compiled here, once, by decoding the bundled recording
ENV NUMBA_CACHE_DIR=/var/cache/omsdr
RUN pip install --no-cache-dir . \
    && omsdr replay recordings/street_868.9M_2400k.cu8 --require 19 > /dev/null \
    && chmod -R a+rwX /var/cache/omsdr

ENTRYPOINT ["omsdr"]
CMD ["receive"]
