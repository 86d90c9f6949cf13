# syntax=docker/dockerfile:1
# One image for every role: `wellhead serve --role engine|gateway|clearing|market-data`.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/wellhead/venv
WORKDIR /opt/wellhead/src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN /opt/wellhead/venv/bin/python -m pip install --require-hashes --no-deps \
    -r requirements/build.txt -r requirements/runtime.txt
COPY pyproject.toml LICENSE README.md ./
COPY requirements/runtime.in requirements/
COPY matching matching
COPY exchange exchange
COPY api api
COPY wellhead wellhead
COPY migrations migrations
# Editable, as everywhere: the migrations are found beside the packages.
RUN /opt/wellhead/venv/bin/python -m pip install --no-build-isolation --no-deps --no-index -e .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/wellhead wellhead
COPY --from=build /opt/wellhead /opt/wellhead
ENV PATH=/opt/wellhead/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WELLHEAD_DATA_DIR=/var/lib/wellhead
USER 10001
WORKDIR /var/lib/wellhead
VOLUME /var/lib/wellhead
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["wellhead"]
CMD ["serve"]
