<?php
/**
 * The single entry point: Apache sends every request here, whatever its path.
 *
 * Reads the request into globals, finds the function that answers it, and turns everything that goes
 * wrong into the same JSON error.
 */
define('BILLING_APP', true);

require_once __DIR__ . '/config.php';
require_once __DIR__ . '/database.php';
require_once __DIR__ . '/billing.php';

set_exception_handler('answer_exception');
register_shutdown_function('answer_fatal_error');

$DB = null;
$METHOD = $_SERVER['REQUEST_METHOD'] === 'HEAD' ? 'GET' : $_SERVER['REQUEST_METHOD'];
$PATH = rawurldecode(explode('?', $_SERVER['REQUEST_URI'], 2)[0]);
$INPUT = read_body();

$ROUTES = array(
    array('GET', '/health', 'health'),
    array('GET', '/api/plans', 'list_plans'),
    array('GET', '/api/plans/([0-9]+)', 'show_plan'),
    array('POST', '/api/users', 'create_user'),
    array('GET', '/api/users/([0-9]+)', 'show_user'),
    array('PUT', '/api/users/([0-9]+)', 'change_user'),
    array('GET', '/api/subscriptions', 'list_subscriptions'),
    array('POST', '/api/subscriptions', 'create_subscription'),
    array('GET', '/api/subscriptions/([0-9]+)', 'show_subscription'),
    array('POST', '/api/subscriptions/([0-9]+)/cancel', 'cancel_subscription'),
    array('GET', '/api/billing/history', 'list_history'),
    array('POST', '/api/billing/run', 'run_billing'),
    array('POST', '/api/payments/([0-9]+)/refund', 'refund_payment'),
    array('POST', '/api/login', 'login'),
    array('POST', '/api/logout', 'logout'),
    array('GET', '/api/me', 'show_me'),
    array('GET', '/login', 'login_page'),
    array('GET', '/account', 'account_page'),
);

$allowed = array();
foreach ($ROUTES as $route) {
    if (!preg_match('#^' . $route[1] . '$#D', $PATH, $found)) {
        continue;
    }
    if ($route[0] === $METHOD) {
        call_user_func_array($route[2], array_map('intval', array_slice($found, 1)));
        exit;
    }
    $allowed[] = $route[0] === 'GET' ? 'GET, HEAD' : $route[0];
}
if ($allowed) {
    header('Allow: ' . implode(', ', $allowed));
    fail(405, 'Method not allowed');
}
fail(404, 'Not found');

/** The body as an array: a JSON object or a form. Anything else counts as an empty body. */
function read_body()
{
    $type = isset($_SERVER['CONTENT_TYPE']) ? $_SERVER['CONTENT_TYPE'] : '';
    $type = strtolower(trim(explode(';', $type)[0]));
    $body = array();
    if ($type === 'application/json') {
        $body = json_decode(file_get_contents('php://input'), true, 64, JSON_BIGINT_AS_STRING);
        // An array decodes to an array, too: only one with names is an object.
        $body = is_array($body) && !array_is_list($body) ? $body : array();
    } elseif ($type === 'application/x-www-form-urlencoded') {
        // Not $_POST, which PHP fills for POST only: a PUT has a form as well.
        parse_str(file_get_contents('php://input'), $body);
    }
    return $body;
}

/** Sends one JSON answer and ends the request. */
function respond($status, $answer)
{
    $json = json_encode($answer, JSON_THROW_ON_ERROR);
    while (ob_get_level() > 0) {
        ob_end_clean(); // half a page, when a view failed
    }
    http_response_code($status);
    header('Content-Type: application/json; charset=utf-8');
    header('Content-Length: ' . strlen($json));
    echo $json;
    exit;
}

/** Answers with data, and with meta when it is a list. */
function succeed($data, $meta = null, $status = 200)
{
    $answer = array('status' => 'ok', 'data' => $data);
    if ($meta !== null) {
        $answer['meta'] = $meta;
    }
    respond($status, $answer);
}

/** Answers with an error. The clients of this application are used to 200 for "not found". */
function fail($status, $message, $errors = null)
{
    $answer = array('status' => 'error', 'message' => $message);
    if ($errors !== null) {
        $answer['errors'] = $errors;
    }
    respond($status, $answer);
}

/** Logs what nobody caught, and tells the client nothing of it. */
function answer_exception($exception)
{
    error_log(get_class($exception) . ': ' . $exception->getMessage()
        . ' in ' . $exception->getFile() . ':' . $exception->getLine());
    fail(500, 'Internal error');
}

/** A fatal error (memory, time limit) is no exception; PHP has logged it, the client needs JSON. */
function answer_fatal_error()
{
    $error = error_get_last();
    if ($error !== null && ($error['type'] & (E_ERROR | E_CORE_ERROR | E_COMPILE_ERROR)) && !headers_sent()) {
        fail(500, 'Internal error');
    }
}

/** Opens the session, or throws: PHP itself only warns when Redis is down. */
function open_session()
{
    if (!@session_start()) {
        header_remove('Set-Cookie');
        throw new RuntimeException('the session store does not answer: ' . REDIS_HOST . ':' . REDIS_PORT);
    }
}

/** The user id of the session that the request brings, or null; opens nothing without a cookie. */
function session_user_id()
{
    $cookie = isset($_COOKIE[SESSION_NAME]) ? $_COOKIE[SESSION_NAME] : '';
    if (!is_string($cookie) || !preg_match('/^[A-Za-z0-9,-]{22,256}$/D', $cookie)) {
        return null;
    }
    open_session();
    if (!isset($_SESSION['user_id'])) {
        session_destroy();
        header_remove('Set-Cookie'); // asking who one is does not begin a session
        return null;
    }
    session_write_close();
    return $_SESSION['user_id'];
}

/** The HTML page with the login form. */
function login_page()
{
    ob_start();
    header('Content-Type: text/html; charset=utf-8');
    require __DIR__ . '/views/login.php';
}

/** The HTML page of the customer who is logged in; anybody else is sent to the login. */
function account_page()
{
    $user = session_user();
    if ($user === null) {
        header('Location: /login', true, 302);
        return;
    }
    ob_start();
    header('Content-Type: text/html; charset=utf-8');
    require __DIR__ . '/views/account.php';
}
