# syntax=docker/dockerfile:1
# The proxy: data plane, controller and shadow worker are the same image in different roles.

FROM node:22-alpine AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm run build

FROM python:3.11-slim-bookworm AS packages
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home cutover \
    && install -d -o cutover -g cutover -m 0700 /var/lib/cutover
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    CUTOVER_STATE=/var/lib/cutover CUTOVER_RULES=/var/lib/cutover/routing_rules.yaml
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY proxy proxy
COPY shadow_compare shadow_compare
COPY --from=assets /build/proxy/admin/console/static/vendor proxy/admin/console/static/vendor
COPY routing_rules.yaml deploy/docker/rules.sh deploy/docker/healthy.py ./
USER 10001
VOLUME /var/lib/cutover
EXPOSE 8080 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "healthy.py", "tcp://127.0.0.1:8080"]
ENTRYPOINT ["python", "-m", "proxy"]
CMD ["serve", "--listen", "0.0.0.0:8080"]
