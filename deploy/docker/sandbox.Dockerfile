# syntax=docker/dockerfile:1
# What a billing application needs from outside: a card processor and a mail server, to try it with.

FROM python:3.11-slim-bookworm AS packages
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10003 --user-group --no-create-home sandbox \
    && install -d -o sandbox -g sandbox -m 0700 /var/lib/processor /var/lib/mail
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY deploy/__init__.py deploy/__init__.py
COPY deploy/processor deploy/processor
COPY deploy/mailbox deploy/mailbox
COPY deploy/docker/healthy.py ./
USER 10003
VOLUME ["/var/lib/processor", "/var/lib/mail"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "healthy.py", "http://127.0.0.1:8000/health"]
CMD ["python", "-m", "deploy.processor", "--host", "0.0.0.0", "--port", "8000", "--folder", "/var/lib/processor"]
