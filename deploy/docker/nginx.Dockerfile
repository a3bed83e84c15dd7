# syntax=docker/dockerfile:1
# The load balancer in front of the proxy.

FROM nginx:1.28-alpine AS checked
COPY deploy/nginx/nginx.conf /etc/nginx/nginx.conf
# The upstream's name does not resolve while building; everything else is checked.
RUN sed 's/proxy:8080/127.0.0.1:8080/' /etc/nginx/nginx.conf > /tmp/nginx.conf \
    && nginx -t -c /tmp/nginx.conf

FROM nginx:1.28-alpine
COPY --from=checked /etc/nginx/nginx.conf /etc/nginx/nginx.conf
# nginx
USER 101
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/nginx-health"]
