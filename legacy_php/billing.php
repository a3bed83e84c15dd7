<?php
/**
 * All business logic: users, plans, subscriptions, billing history, login. One function per request,
 * which reads the globals, asks the database and sends the answer.
 */
if (!defined('BILLING_APP')) {
    http_response_code(404);
    header('Content-Type: application/json; charset=utf-8');
    exit('{"status":"error","message":"Not found"}');
}

// ---------------------------------------------------------------------------------------- health

/** GET /health: is this application fit to serve? */
function health()
{
    $database = 'ok';
    $redis = 'ok';
    try {
        db_value('SELECT 1');
    } catch (mysqli_sql_exception $exception) {
        error_log('health: database: ' . $exception->getMessage());
        $database = 'error';
    }
    try {
        $connection = new Redis();
        $connection->connect(REDIS_HOST, REDIS_PORT, REDIS_TIMEOUT, null, 0, REDIS_TIMEOUT);
        $connection->ping();
    } catch (RedisException $exception) {
        error_log('health: redis: ' . $exception->getMessage());
        $redis = 'error';
    }
    $healthy = $database === 'ok' && $redis === 'ok';
    respond($healthy ? 200 : 503, array(
        'status' => $healthy ? 'healthy' : 'unhealthy',
        'database' => $database,
        'redis' => $redis,
        'app' => 'legacy',
        'timestamp' => date('Y-m-d H:i:s'),
    ));
}

// ----------------------------------------------------------------------------------------- plans

/** GET /api/plans: the plans on sale, all on one page. */
function list_plans()
{
    $plans = array();
    foreach (db_rows('SELECT * FROM subscription_plans WHERE is_active = 1 ORDER BY id') as $row) {
        $plans[] = plan_data($row);
    }
    succeed($plans, array('total' => count($plans), 'generated_at' => date('Y-m-d H:i:s')));
}

/** GET /api/plans/{id}: one plan, on sale or not. */
function show_plan($id)
{
    $row = db_row('SELECT * FROM subscription_plans WHERE id = ?', array($id));
    if ($row === null) {
        fail(200, 'Plan not found');
    }
    succeed(plan_data($row));
}

/** A plan as clients see it. PHP has one array type, so an empty object of features becomes a list. */
function plan_data($row)
{
    $row['features'] = json_decode($row['features'] === null ? '[]' : $row['features'], true);
    return $row;
}

// ----------------------------------------------------------------------------------------- users

/** POST /api/users: registers a customer. */
function create_user()
{
    $errors = array();
    $email = text_field('email', 255, $errors, true);
    $pattern = '/^[A-Za-z0-9.!#$%&\'*+\/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/D';
    if ($email !== null && !preg_match($pattern, $email)) {
        $errors['email'] = 'invalid';
    } elseif ($email !== null && db_value('SELECT COUNT(*) FROM users WHERE email = ?', array($email)) > 0) {
        $errors['email'] = 'already taken';
    }
    $name = text_field('name', 255, $errors, true);
    $password = password_field($errors);
    $country = country_field($errors);
    $phone = text_field('phone', 40, $errors);
    reject_if($errors);
    $id = db_insert(
        'INSERT INTO users (email, name, password_hash, country, phone) VALUES (?, ?, ?, ?, ?)',
        array($email, $name, password_hash($password, PASSWORD_BCRYPT), $country, $phone)
    );
    succeed(user_data(find_user($id)), null, 201);
}

/** GET /api/users/{id}: one customer. */
function show_user($id)
{
    $user = find_user($id);
    if ($user === null) {
        fail(200, 'User not found');
    }
    succeed(user_data($user));
}

/** PUT /api/users/{id}: changes name, country, phone and card, those that are given. */
function change_user($id)
{
    global $INPUT;
    $user = find_user($id);
    if ($user === null) {
        fail(200, 'User not found');
    }
    $errors = array();
    $name = array_key_exists('name', $INPUT) ? text_field('name', 255, $errors, true) : $user['name'];
    $country = array_key_exists('country', $INPUT) ? country_field($errors) : $user['country'];
    $phone = array_key_exists('phone', $INPUT) ? text_field('phone', 40, $errors) : $user['phone'];
    $card = array_key_exists('payment_method', $INPUT)
        ? text_field('payment_method', 64, $errors)
        : $user['payment_method'];
    reject_if($errors);
    db_run(
        'UPDATE users SET name = ?, country = ?, phone = ?, payment_method = ? WHERE id = ?',
        array($name, $country, $phone, $card, $id)
    );
    succeed(user_data(find_user($id)));
}

/** The row of the user who is logged in, or null. */
function session_user()
{
    $user_id = session_user_id();
    $user = $user_id === null ? null : find_user($user_id);
    return $user !== null && $user['is_active'] === 1 ? $user : null;
}

/** The row of a user with all its columns, or null. */
function find_user($id)
{
    return db_row('SELECT * FROM users WHERE id = ?', array($id));
}

/** A user as clients see it: without the hash of the password and the token of the card. */
function user_data($row)
{
    unset($row['password_hash'], $row['payment_method']);
    return $row;
}

// --------------------------------------------------------------------------------- subscriptions

/** GET /api/subscriptions: by user and status, 20 to a page. */
function list_subscriptions()
{
    $filters = array();
    $where = '1 = 1';
    $values = array();
    $user_id = query_param('user_id');
    if ($user_id !== '') {
        $filters['user_id'] = $user_id;
        $where .= ' AND user_id = ?';
        $values[] = ctype_digit($user_id) ? (int) $user_id : 0; // no number: nobody
    }
    $status = query_param('status');
    if ($status !== '') {
        $filters['status'] = $status;
        // The collation would also accept "ACTIVE": the column has three values, spelt like this.
        $known = in_array($status, array('active', 'cancelled', 'past_due'), true);
        $where .= ' AND status = ?';
        $values[] = $known ? $status : '-';
    }
    $meta = page_meta(db_value("SELECT COUNT(*) FROM subscriptions WHERE $where", $values));
    $rows = db_rows(
        "SELECT * FROM subscriptions WHERE $where ORDER BY id LIMIT ? OFFSET ?",
        array_merge($values, array(PER_PAGE, ($meta['page'] - 1) * PER_PAGE))
    );
    $subscriptions = array();
    foreach ($rows as $row) {
        $subscriptions[] = subscription_data($row); // one more query for each row
    }
    $meta['filters'] = $filters;
    succeed($subscriptions, $meta);
}

/** GET /api/subscriptions/{id}: one subscription, and where its charges are. */
function show_subscription($id)
{
    $row = find_subscription($id);
    $data = subscription_data($row);
    $data['history_url'] = '/api/billing/history?user_id=' . $row['user_id'];
    succeed($data);
}

/** POST /api/subscriptions: subscribes a user to a plan; the first charge waits for the billing run. */
function create_subscription()
{
    $errors = array();
    $user_id = id_field('user_id', $errors);
    if ($user_id !== null && find_user($user_id) === null) {
        $errors['user_id'] = 'unknown user';
    }
    $plan = null;
    $plan_id = id_field('plan_id', $errors);
    if ($plan_id !== null) {
        $plan = db_row('SELECT * FROM subscription_plans WHERE id = ? AND is_active = 1', array($plan_id));
        if ($plan === null) {
            $errors['plan_id'] = 'unknown plan';
        }
    }
    reject_if($errors);
    $taken = db_value(
        "SELECT COUNT(*) FROM subscriptions WHERE user_id = ? AND plan_id = ? AND status = 'active'",
        array($user_id, $plan_id)
    );
    if ($taken > 0) {
        reject_if(array('plan_id' => 'already subscribed'));
    }
    // DATE_ADD stays inside the month: one month after the 31st of January is the 28th of February.
    $unit = $plan['billing_cycle'] === 'yearly' ? 'YEAR' : 'MONTH';
    $id = db_insert(
        "INSERT INTO subscriptions (user_id, plan_id, status, next_billing_date)
         VALUES (?, ?, 'active', DATE_ADD(CURDATE(), INTERVAL 1 $unit))",
        array($user_id, $plan_id)
    );
    // No transaction around the two: a crash in between leaves a subscription that nobody charges.
    db_insert(
        "INSERT INTO billing_history (subscription_id, user_id, amount, currency, status, description, billed_at)
         VALUES (?, ?, ?, ?, 'pending', ?, NOW())",
        array($id, $user_id, $plan['price'], $plan['currency'], $plan['name'] . ', 1 ' . strtolower($unit))
    );
    succeed(subscription_data(find_subscription($id)), null, 201);
}

/** POST /api/subscriptions/{id}/cancel: ends a subscription, whatever its state. */
function cancel_subscription($id)
{
    $row = find_subscription($id);
    if ($row['status'] === 'cancelled') {
        fail(200, 'Already cancelled');
    }
    db_run("UPDATE subscriptions SET status = 'cancelled' WHERE id = ?", array($id));
    succeed(subscription_data(find_subscription($id)));
}

/** The row of a subscription; answers "not found" itself when there is none. */
function find_subscription($id)
{
    $row = db_row('SELECT * FROM subscriptions WHERE id = ?', array($id));
    if ($row === null) {
        fail(200, 'Subscription not found');
    }
    return $row;
}

/** A subscription as clients see it: looks its plan up, once per row. */
function subscription_data($row)
{
    $plan = db_row('SELECT name, price, currency FROM subscription_plans WHERE id = ?', array($row['plan_id']));
    return array(
        'id' => $row['id'],
        'user_id' => $row['user_id'],
        'plan_id' => $row['plan_id'],
        'plan_name' => $plan === null ? null : $plan['name'],
        'status' => $row['status'],
        'price' => $plan === null ? null : $plan['price'],
        'currency' => $plan === null ? null : $plan['currency'],
        'next_billing_date' => $row['next_billing_date'],
        'created_at' => $row['created_at'],
    );
}

// ------------------------------------------------------------------------------- billing history

/** GET /api/billing/history: the charges of one user, the newest first. */
function list_history()
{
    $user_id = query_param('user_id');
    if (!ctype_digit($user_id)) {
        reject_if(array('user_id' => 'required'));
    }
    $meta = page_meta(db_value('SELECT COUNT(*) FROM billing_history WHERE user_id = ?', array((int) $user_id)));
    succeed(array_map('charge_data', db_rows(
        'SELECT * FROM billing_history WHERE user_id = ? ORDER BY id DESC LIMIT ? OFFSET ?',
        array((int) $user_id, PER_PAGE, ($meta['page'] - 1) * PER_PAGE)
    )), $meta);
}

/** A charge as clients see it: without the name that the processor has for it. */
function charge_data($row)
{
    unset($row['transaction_id']);
    return $row;
}

// -------------------------------------------------------------------------------------- payments

/** POST /api/billing/run: bills the cycles that are due, then charges what is pending, card by card. */
function run_billing()
{
    set_time_limit(0);
    $errors = array();
    $subscription_id = number_field('subscription_id', $errors);
    $limit = number_field('limit', $errors);
    if ($limit !== null && ($limit < 1 || $limit > RUN_LIMIT)) {
        $errors['limit'] = 'invalid';
    }
    reject_if($errors);
    $limit = $limit === null ? RUN_LIMIT : $limit;
    $where = '1 = 1';
    $values = array($limit);
    if ($subscription_id !== null) {
        find_subscription($subscription_id);
        $where = 'id = ?';
        $values = array($subscription_id, $limit);
    }
    $due = db_rows(
        "SELECT * FROM subscriptions WHERE $where AND status = 'active' AND next_billing_date <= CURDATE()
         ORDER BY id LIMIT ?",
        $values
    );
    foreach ($due as $row) {
        bill_cycle($row);
    }
    $where = $subscription_id === null ? '1 = 1' : 'subscription_id = ?';
    $pending = db_rows("SELECT * FROM billing_history WHERE $where AND status = 'pending' ORDER BY id LIMIT ?", $values);
    $charges = array();
    foreach ($pending as $index => $row) {
        if ($index > 0) {
            sleep(1); // "be gentle to the processor"
        }
        charge_card($row);
        $charges[] = charge_data(find_charge($row['id']));
    }
    $statuses = array_count_values(array_column($charges, 'status'));
    succeed(array(
        'billed' => count($due),
        'paid' => isset($statuses['paid']) ? $statuses['paid'] : 0,
        'failed' => isset($statuses['failed']) ? $statuses['failed'] : 0,
        'charges' => $charges,
    ));
}

/** Adds the pending charge of the cycle that is due, and moves the date on. */
function bill_cycle($row)
{
    $plan = db_row('SELECT * FROM subscription_plans WHERE id = ?', array($row['plan_id']));
    $yearly = $plan['billing_cycle'] === 'yearly';
    db_insert(
        "INSERT INTO billing_history (subscription_id, user_id, amount, currency, status, description, billed_at)
         VALUES (?, ?, ?, ?, 'pending', ?, NOW())",
        array($row['id'], $row['user_id'], $plan['price'], $plan['currency'],
            $plan['name'] . ($yearly ? ', 1 year' : ', 1 month'))
    );
    // Counted from the first day: stepping from date to date would leave the 31st for ever in February.
    db_run(
        "UPDATE subscriptions SET next_billing_date = DATE_ADD(DATE(created_at), INTERVAL
             PERIOD_DIFF(DATE_FORMAT(next_billing_date, '%Y%m'), DATE_FORMAT(created_at, '%Y%m')) + ? MONTH)
         WHERE id = ?",
        array($yearly ? 12 : 1, $row['id'])
    );
}

/** Charges the customer's card for a pending charge; without an answer it stays pending. */
function charge_card($row)
{
    $cents = cents($row['amount']);
    $card = db_value('SELECT payment_method FROM users WHERE id = ?', array($row['user_id']));
    if ($cents === 0) {
        $answer = array('status' => 200, 'id' => null);
    } elseif ($card === null) {
        $answer = array('status' => 402, 'id' => null);
    } else {
        $answer = ask_processor('charges', 'charge-' . $row['id'], array(
            'amount' => $cents,
            'currency' => strtolower($row['currency']),
            'source' => $card,
        ));
    }
    if ($answer === null) {
        return;
    }
    if ($answer['status'] === 200) {
        // The card is charged; a crash before this line forgets it, and the next run asks once more.
        db_run(
            "UPDATE billing_history SET status = 'paid', paid_at = NOW(), transaction_id = ? WHERE id = ?",
            array($answer['id'], $row['id'])
        );
        return;
    }
    db_run("UPDATE billing_history SET status = 'failed' WHERE id = ?", array($row['id']));
    db_run("UPDATE subscriptions SET status = 'past_due' WHERE id = ? AND status = 'active'", array($row['subscription_id']));
}

/** POST /api/payments/{id}/refund: gives what was paid back, all that is left of it or an amount. */
function refund_payment($id)
{
    $row = find_charge($id);
    if ($row['status'] === 'refunded') {
        fail(200, 'Already refunded');
    }
    if ($row['status'] !== 'paid') {
        fail(200, 'Not paid');
    }
    $before = cents($row['refunded_amount']);
    $left = cents($row['amount']) - $before;
    if ($left <= 0) {
        fail(200, 'Already refunded');
    }
    $errors = array();
    $cents = amount_field('amount', $left, $errors);
    reject_if($errors);
    $answer = ask_processor('refunds', "refund-$id-$before-$cents", array(
        'charge' => $row['transaction_id'] === null ? '' : $row['transaction_id'],
        'amount' => $cents,
    ));
    if ($answer === null) {
        fail(200, 'Payment processor does not answer');
    }
    if ($answer['status'] !== 200) {
        fail(200, 'Refund failed');
    }
    db_run(
        'UPDATE billing_history SET refunded_amount = ?, status = ? WHERE id = ?',
        array(decimal($before + $cents), $cents === $left ? 'refunded' : 'paid', $id)
    );
    succeed(charge_data(find_charge($id)));
}

/** The row of a charge; answers "not found" itself when there is none. */
function find_charge($id)
{
    $row = db_row('SELECT * FROM billing_history WHERE id = ?', array($id));
    if ($row === null) {
        fail(200, 'Payment not found');
    }
    return $row;
}

/**
 * Asks the card processor; null when nobody knows what came of it. The status is 200, or 402 when it
 * has said no. The same key is carried out once, however often it is asked.
 */
function ask_processor($what, $key, $fields)
{
    if (STRIPE_KEY === '') {
        error_log("processor: no key is configured, $key is not asked");
        return null;
    }
    $context = stream_context_create(array('http' => array(
        'method' => 'POST',
        'header' => "Authorization: Bearer " . STRIPE_KEY . "\r\nIdempotency-Key: $key\r\n"
            . "Content-Type: application/x-www-form-urlencoded\r\n",
        'content' => http_build_query($fields),
        'timeout' => STRIPE_TIMEOUT,
        'ignore_errors' => true,
    )));
    $body = @file_get_contents(STRIPE_URL . '/v1/' . $what, false, $context);
    if ($body === false || !isset($http_response_header[0])) {
        error_log("processor: no answer to $key");
        return null;
    }
    $status = (int) explode(' ', $http_response_header[0])[1];
    $answer = json_decode($body, true);
    if ($status === 200 && isset($answer['id'])) {
        return array('status' => 200, 'id' => $answer['id']);
    }
    if (in_array($status, array(400, 402, 404), true)) {
        return array('status' => 402, 'id' => null);
    }
    error_log("processor: $status to $key"); // a wrong key, too many requests, or it has failed
    return null;
}

/** Hundredths of an amount as the database writes it. */
function cents($decimal)
{
    return (int) str_replace('.', '', $decimal);
}

/** An amount as the database writes it, of hundredths. */
function decimal($cents)
{
    return sprintf('%d.%02d', intdiv($cents, 100), $cents % 100);
}

// ----------------------------------------------------------------------------------------- login

/** POST /api/login: begins a session. */
function login()
{
    global $INPUT;
    $email = isset($INPUT['email']) && is_string($INPUT['email']) ? trim($INPUT['email'], " \t\r\n") : '';
    $password = isset($INPUT['password']) && is_string($INPUT['password']) ? $INPUT['password'] : '';
    $user = preg_match('/^[\x21-\x7e]+$/D', $email)
        ? db_row('SELECT * FROM users WHERE email = ? AND is_active = 1', array($email))
        : null;
    // A hash that nothing matches, so that an unknown e-mail takes as long as a wrong password.
    $hash = $user === null ? '$2y$10$5gJ.NqdbgjLw1zb68Bn5neqkxVwjBcPNufmgVS9k1VwZO7QZOVDRW' : $user['password_hash'];
    if (!password_verify($password, $hash) || $user === null) {
        fail(401, 'Invalid credentials');
    }
    open_session();
    header_remove('Set-Cookie'); // one cookie: the id from before the login is worth nothing after it
    session_regenerate_id(true);
    $_SESSION['user_id'] = $user['id'];
    session_write_close();
    db_run('UPDATE users SET last_login_at = NOW() WHERE id = ?', array($user['id']));
    succeed(user_data(find_user($user['id'])));
}

/** POST /api/logout: ends the session, if there is one. */
function logout()
{
    if (session_user_id() !== null) {
        open_session();
        session_destroy();
        header_remove('Set-Cookie');
        setcookie(SESSION_NAME, '', array('expires' => 1, 'path' => '/', 'httponly' => true, 'samesite' => 'Lax'));
    }
    succeed(array());
}

/** GET /api/me: the user of the session. */
function show_me()
{
    $user = session_user();
    if ($user === null) {
        fail(401, 'Not logged in');
    }
    succeed(user_data($user));
}

// ----------------------------------------------------------------------- what the request carries

/** Answers 422 when there is an error. */
function reject_if($errors)
{
    if ($errors) {
        fail(422, 'Validation failed', $errors);
    }
}

/** One text of the query string; '' when it is missing or not a text. */
function query_param($name)
{
    return isset($_GET[$name]) && is_string($_GET[$name]) ? $_GET[$name] : '';
}

/** The meta of a page: which one, of how many rows. */
function page_meta($total)
{
    $page = query_param('page');
    return array(
        'page' => preg_match('/^[0-9]{1,9}$/D', $page) ? max(1, (int) $page) : 1,
        'per_page' => PER_PAGE,
        'total' => $total,
        'generated_at' => date('Y-m-d H:i:s'),
    );
}

/** One text of the body, trimmed; null when it is missing, null or empty, or wrong (see $errors). */
function text_field($name, $max, &$errors, $required = false)
{
    global $INPUT;
    $value = isset($INPUT[$name]) ? $INPUT[$name] : '';
    if (!is_string($value) || strpos($value, "\0") !== false || !preg_match('//u', $value)) {
        $errors[$name] = 'invalid';
        return null;
    }
    $value = trim($value, " \t\r\n");
    if (!preg_match('/^.{0,' . $max . '}$/usD', $value)) {
        $errors[$name] = 'too long';
        return null;
    }
    if ($value === '' && $required) {
        $errors[$name] = 'required';
    }
    return $value === '' ? null : $value;
}

/** The country of the body in capitals, or null. */
function country_field(&$errors)
{
    $country = text_field('country', 255, $errors);
    if (isset($errors['country']) || ($country !== null && !preg_match('/^[A-Za-z]{2}$/D', $country))) {
        $errors['country'] = 'invalid';
    }
    return $country === null ? null : strtoupper($country);
}

/** The password of the body as it is, counted in bytes: bcrypt reads 72 of them and stops at a zero. */
function password_field(&$errors)
{
    global $INPUT;
    $password = isset($INPUT['password']) ? $INPUT['password'] : '';
    if ($password === '') {
        $errors['password'] = 'required';
    } elseif (!is_string($password) || strpos($password, "\0") !== false) {
        $errors['password'] = 'invalid';
    } elseif (strlen($password) < 8) {
        $errors['password'] = 'too short';
    } elseif (strlen($password) > 72) {
        $errors['password'] = 'too long';
    }
    return $password;
}

/** An id of the body: a whole number, or its digits as text; anything else is an error. */
function id_field($name, &$errors)
{
    global $INPUT;
    $value = isset($INPUT[$name]) ? $INPUT[$name] : '';
    if (is_int($value) && $value >= 0) {
        return $value;
    }
    if (is_string($value) && ctype_digit($value)) {
        return (int) $value;
    }
    $errors[$name] = 'required';
    return null;
}

/** A whole number of the body, or null when there is none; anything else is an error. */
function number_field($name, &$errors)
{
    global $INPUT;
    $value = isset($INPUT[$name]) ? $INPUT[$name] : '';
    if ($value === '') {
        return null;
    }
    if (is_int($value) && $value >= 0) {
        return $value;
    }
    if (is_string($value) && ctype_digit($value)) {
        return (int) $value;
    }
    $errors[$name] = 'invalid';
    return null;
}

/** An amount of the body in hundredths: at most what is left, and all of it when none is given. */
function amount_field($name, $left, &$errors)
{
    global $INPUT;
    $value = isset($INPUT[$name]) ? $INPUT[$name] : '';
    if ($value === '') {
        return $left;
    }
    $text = is_int($value) || is_float($value) ? json_encode($value) : $value;
    if (!is_string($text) || !preg_match('/^([0-9]{1,8})(?:\.([0-9]{1,2}))?$/D', $text, $found)) {
        $errors[$name] = 'invalid';
        return null;
    }
    $cents = (int) $found[1] * 100 + (int) str_pad(isset($found[2]) ? $found[2] : '', 2, '0');
    if ($cents === 0) {
        $errors[$name] = 'invalid';
    } elseif ($cents > $left) {
        $errors[$name] = 'too much';
    }
    return $cents;
}
