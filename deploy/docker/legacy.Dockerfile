# syntax=docker/dockerfile:1
# The legacy application: Apache with mod_php, as it has always been run.

FROM php:8.2-apache-bookworm AS extensions
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN docker-php-ext-install -j"$(nproc)" mysqli opcache \
    && pecl install redis-6.2.0 \
    && docker-php-ext-enable redis

FROM php:8.2-apache-bookworm
COPY --from=extensions /usr/local/lib/php/extensions /usr/local/lib/php/extensions
COPY --from=extensions /usr/local/etc/php/conf.d /usr/local/etc/php/conf.d
RUN a2enmod rewrite && a2dissite 000-default && rm /etc/apache2/ports.conf \
    && touch /etc/apache2/ports.conf
COPY deploy/docker/legacy.conf /etc/apache2/sites-enabled/legacy.conf
COPY deploy/docker/with-secrets.sh /usr/local/bin/with-secrets.sh
COPY legacy_php /srv/legacy
# www-data
USER 33
WORKDIR /srv/legacy
EXPOSE 8000
# Apache's own word for a graceful stop.
STOPSIGNAL SIGWINCH
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8000/health"]
ENTRYPOINT ["/usr/local/bin/with-secrets.sh"]
CMD ["apache2-foreground"]
