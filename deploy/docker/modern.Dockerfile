# syntax=docker/dockerfile:1
# The modern billing core; its jobs and the data tools run from the same image.

FROM python:3.11-slim-bookworm AS packages
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --extra billing --no-install-project

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10002 --user-group --no-create-home billing \
    && install -d -o billing -g billing -m 0700 /var/lib/billing
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY shadow_compare shadow_compare
COPY modern modern
COPY migration_tools migration_tools
COPY deploy/docker/with-secrets.sh deploy/docker/copy-once.sh deploy/docker/healthy.py ./
USER 10002
VOLUME /var/lib/billing
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "healthy.py", "http://127.0.0.1:8000/health"]
ENTRYPOINT ["/app/with-secrets.sh"]
CMD ["python", "-m", "uvicorn", "--factory", "modern.app:create_app", "--host", "0.0.0.0", "--port", "8000"]
