<?php
/**
 * Global configuration: constants, seen from everywhere.
 *
 * What differs from machine to machine, and every secret, comes from the environment: SetEnv or
 * PassEnv under Apache, exported variables on the command line. getenv() sees both.
 */
if (!defined('BILLING_APP')) {
    http_response_code(404);
    header('Content-Type: application/json; charset=utf-8');
    exit('{"status":"error","message":"Not found"}');
}

/** Reads one environment variable, or the default when it is missing. */
function config_value($name, $default)
{
    $value = getenv($name);
    return $value === false ? $default : $value;
}

define('DB_HOST', config_value('LEGACY_DB_HOST', '127.0.0.1'));
define('DB_PORT', (int) config_value('LEGACY_DB_PORT', '3306'));
define('DB_NAME', config_value('LEGACY_DB_NAME', 'legacy_billing'));
define('DB_USER', config_value('LEGACY_DB_USER', 'legacy'));
define('DB_PASSWORD', config_value('LEGACY_DB_PASSWORD', ''));
define('DB_TIMEOUT', 3); // seconds to connect; a statement may take DB_READ_TIMEOUT
define('DB_READ_TIMEOUT', 15);

define('REDIS_HOST', config_value('LEGACY_REDIS_HOST', '127.0.0.1'));
define('REDIS_PORT', (int) config_value('LEGACY_REDIS_PORT', '6379'));
define('REDIS_TIMEOUT', 2);

define('SESSION_NAME', 'PHPSESSID');
define('SESSION_LIFETIME', 7200); // seconds without a request

define('STRIPE_URL', config_value('LEGACY_STRIPE_URL', 'https://api.stripe.com'));
define('STRIPE_KEY', config_value('LEGACY_STRIPE_KEY', ''));
define('STRIPE_TIMEOUT', 10);

define('RUN_LIMIT', 1000); // cycles and charges of one billing run
define('PER_PAGE', 20);
define('ZERO_DATETIME', '0000-00-00 00:00:00');

// The database keeps every time in UTC without saying so. PHP must agree with it.
date_default_timezone_set('UTC');

// A notice in front of the JSON is the classic way to break a client: log all, print nothing.
error_reporting(E_ALL);
ini_set('display_errors', '0');
ini_set('log_errors', '1');
ini_set('html_errors', '0');

ini_set('session.save_handler', 'redis');
ini_set('session.save_path', 'tcp://' . REDIS_HOST . ':' . REDIS_PORT . '?timeout=' . REDIS_TIMEOUT);
ini_set('session.serialize_handler', 'php');
ini_set('session.name', SESSION_NAME);
ini_set('session.gc_maxlifetime', (string) SESSION_LIFETIME);
ini_set('session.cookie_lifetime', '0');
ini_set('session.cookie_path', '/');
ini_set('session.cookie_httponly', '1');
ini_set('session.cookie_samesite', 'Lax');
ini_set('session.use_only_cookies', '1');
ini_set('session.use_strict_mode', '1');
