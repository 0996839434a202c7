# One image for the four services and the command line. Needs BuildKit.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm
FROM ${PYTHON_IMAGE} AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /app
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock README.md LICENSE NOTICE ./
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-dev --no-install-project

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home desk \
    && install --directory --owner=desk --mode=700 /var/lib/permanence
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /app/.venv .venv
COPY services services
COPY shared shared
COPY cli cli
COPY standalone standalone
COPY demo demo
COPY deploy/permanence.yaml deploy/permanence.yaml
# Nothing is written where it runs: each start of each container would compile them again.
RUN python -m compileall -q --invalidation-mode unchecked-hash services shared cli standalone demo
USER desk
ENTRYPOINT ["python", "-m"]
CMD ["services", "--help"]
