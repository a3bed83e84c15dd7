<?php
/**
 * Fills the legacy database, the same to the byte at every run:
 *
 *     php legacy_php/sql/seed.php                 create the tables and fill them, if they are empty
 *     php legacy_php/sql/seed.php --fresh         throw away what is there, and fill them
 *     php legacy_php/sql/seed.php --fingerprint   only say what is there
 *
 * 2,000 users, 4 plans, 3,000 subscriptions and their charges up to the day of reference. Chance is a
 * small generator of its own with a fixed start, and no clock is read.
 */
if (PHP_SAPI !== 'cli') {
    http_response_code(404);
    header('Content-Type: application/json; charset=utf-8');
    exit('{"status":"error","message":"Not found"}');
}

define('BILLING_APP', true);
require_once __DIR__ . '/../config.php';
require_once __DIR__ . '/../database.php';
ini_set('display_errors', 'stderr');
ini_set('log_errors', '0');

define('USERS', 2000);
define('SUBSCRIPTIONS', 3000);
define('REFERENCE', gmmktime(0, 0, 0, 11, 15, 2026));
define('DAY', 86400);

// "cutover-demo" with four salts: hashing it for every user would take minutes.
$HASHES = array(
    '$2y$08$F.7z7BqzvSp6Qx33Dqi4gea2MH0i/zPIEruqomT2Z0w5Nmsrqu.Vi',
    '$2y$08$ttBym/ZeyiEkIwvm/akonOCt9YuI6ACGHryGBTYsh1NEuYPgMKB2e',
    '$2y$08$IEMN9.1IDyo2bIdP6HTIh.CWzzDp2n7thhfmqujk/Y5jjVNJRGyA2',
    '$2y$08$1lwe4LkHbvEZ1yXyOOOmb.JOXXO5d47M9UsBDgMwMsCkNScfJNKBi',
);
$COUNTRIES = require __DIR__ . '/names.php';
$CHANCE = 20261115;
$DB = null;

try {
    main(array_slice($argv, 1));
} catch (mysqli_sql_exception $exception) {
    fwrite(STDERR, 'seed: ' . DB_USER . '@' . DB_HOST . ':' . DB_PORT . '/' . DB_NAME . ': ' . $exception->getMessage() . "\n");
    exit(1);
}

/** Does what the command line says. */
function main($arguments)
{
    if (array_diff($arguments, array('--fresh', '--fingerprint'))) {
        fwrite(STDERR, "usage: php seed.php [--fresh | --fingerprint]\n");
        exit(2);
    }
    if (!in_array('--fingerprint', $arguments, true)) {
        create_tables();
        if (in_array('--fresh', $arguments, true)) {
            empty_tables();
        }
        if (db_value('SELECT COUNT(*) FROM users') > 0) {
            echo "the database holds users already; --fresh throws them away\n";
        } else {
            fill_tables();
        }
    }
    print_fingerprint();
}

/** Runs schema.sql, which leaves tables that exist as they are. */
function create_tables()
{
    db()->multi_query(file_get_contents(__DIR__ . '/schema.sql'));
    while (db()->more_results()) {
        db()->next_result();
    }
}

/** Throws all rows away, and lets the ids begin at 1 again. */
function empty_tables()
{
    foreach (table_names() as $table) {
        db()->query("TRUNCATE TABLE $table");
    }
}

/** The four tables. */
function table_names()
{
    return array('users', 'subscription_plans', 'subscriptions', 'billing_history');
}

/** Makes everything and writes it in one transaction. */
function fill_tables()
{
    $plans = make_plans();
    $users = make_users();
    $subscriptions = make_subscriptions($users, $plans);
    $charges = make_charges($subscriptions, $plans);
    db()->begin_transaction();
    insert_rows('subscription_plans', $plans);
    insert_rows('users', $users);
    foreach ($subscriptions as &$subscription) {
        unset($subscription['from'], $subscription['to']);
    }
    insert_rows('subscriptions', $subscriptions);
    insert_rows('billing_history', $charges);
    db()->commit();
}

/** Writes rows, many to a statement. */
function insert_rows($table, $rows)
{
    foreach (array_chunk($rows, 500) as $chunk) {
        $columns = array_keys($chunk[0]);
        $marks = '(' . implode(', ', array_fill(0, count($columns), '?')) . ')';
        db_run(
            "INSERT INTO $table (" . implode(', ', $columns) . ') VALUES '
            . implode(', ', array_fill(0, count($chunk), $marks)),
            array_merge(...array_map('array_values', $chunk))
        );
    }
}

/** Prints, for each table, how many rows it has and a digest of all of them. */
function print_fingerprint()
{
    foreach (table_names() as $table) {
        $rows = db()->query("SELECT * FROM $table ORDER BY id", MYSQLI_USE_RESULT);
        $digest = hash_init('sha256');
        for ($count = 0; $row = $rows->fetch_row(); $count++) {
            hash_update($digest, json_encode($row) . "\n");
        }
        printf("%-20s %6d  %s\n", $table, $count, hash_final($digest));
    }
}

// ---------------------------------------------------------------------------------------- chance

/** A whole number from 0 to $below - 1, the same on every machine and in every version of PHP. */
function chance($below)
{
    return ((chance_bits() << 23) | chance_bits()) % $below;
}

/** The upper 23 bits of a linear congruential generator; its lower ones repeat too soon. */
function chance_bits()
{
    global $CHANCE;
    $CHANCE = ($CHANCE * 1103515245 + 12345) & 0x7fffffff;
    return $CHANCE >> 8;
}

/** True in so many cases of a hundred. */
function percent($share)
{
    return chance(100) < $share;
}

/** One element of a list. */
function pick($list)
{
    return $list[chance(count($list))];
}

/** A moment between two others. */
function moment($from, $to)
{
    return $to > $from ? $from + chance($to - $from) : $from;
}

// ----------------------------------------------------------------------------------------- dates

/** A point in time as the database writes it. */
function sql_time($time)
{
    return gmdate('Y-m-d H:i:s', $time);
}

/** Midnight, a number of months after the day of a moment, in its month: 31 January + 1 = 28 February. */
function months_later($time, $months)
{
    $month = (int) gmdate('n', $time) + $months;
    $year = (int) gmdate('Y', $time);
    $days = (int) gmdate('t', gmmktime(0, 0, 0, $month, 1, $year));
    return gmmktime(0, 0, 0, $month, min((int) gmdate('j', $time), $days), $year);
}

// ------------------------------------------------------------------------------------------ rows

/** The four plans; the last has no features, as an empty object. */
function make_plans()
{
    $plans = array(
        array('Basic', 'One seat. Cancel any time.', '9.90', 'EUR', 'monthly', 14,
            '{"seats":1,"support":"email"}', '2022-01-01 09:00:00'),
        array('Team', 'Up to 10 colleagues – e-mail/chat support, 24/7', '29.00', 'EUR', 'monthly', 14,
            '{"seats":10,"support":"email/chat","api_access":true}', '2022-01-01 09:00:00'),
        array('Business', 'Für Büros & Cafés: "unbegrenzt" viele Plätze', '79.50', 'USD', 'monthly', 30,
            '{"seats":null,"support":"phone","api_access":true,"regions":["eu","us"]}', '2022-06-15 09:00:00'),
        array('Archive', 'Read-only access, paid by the year', '120.00', 'EUR', 'yearly', 0,
            '{}', '2023-03-01 09:00:00'),
    );
    $rows = array();
    foreach ($plans as $index => $plan) {
        $rows[] = array(
            'id' => $index + 1,
            'name' => $plan[0],
            'description' => $plan[1],
            'price' => $plan[2],
            'currency' => $plan[3],
            'billing_cycle' => $plan[4],
            'trial_days' => $plan[5],
            'features' => $plan[6],
            'is_active' => 1,
            'created_at' => $plan[7],
        );
    }
    return $rows;
}

/** The users in the order in which they joined, with the gaps and zero dates that years leave. */
function make_users()
{
    global $HASHES;
    $start = gmmktime(9, 0, 0, 1, 10, 2022);
    $pace = intdiv(REFERENCE - 5 * DAY - $start, USERS);
    $rows = array();
    for ($id = 1; $id <= USERS; $id++) {
        $joined = $start + ($id - 1) * $pace + chance($pace);
        list($country, $name, $mailbox) = make_name();
        $rows[] = array(
            'id' => $id,
            'email' => "$mailbox.$id@example." . pick(array('com', 'org')),
            'name' => $name,
            'password_hash' => pick($HASHES),
            'country' => percent(5) ? null : $country,
            'phone' => percent(40) ? null : sprintf('+%d 555 %04d', 10 + chance(80), chance(10000)),
            'birthday' => make_birthday(),
            'is_active' => percent(3) ? 0 : 1,
            'last_login_at' => percent(15) ? ZERO_DATETIME : sql_time(moment($joined, REFERENCE)),
            'created_at' => sql_time($joined),
            'payment_method' => make_card($id),
        );
    }
    $rows[0] = array_merge($rows[0], array('email' => 'demo@example.com', 'name' => 'Renée Müller',
        'country' => 'DE', 'birthday' => '1984-02-29', 'is_active' => 1));
    $rows[12]['name'] = 'Siân "Shan" O\'Hara & Co. <sales/eu>';
    $rows[41]['name'] = 'Zoë 🚲 Bakker';
    return $rows;
}

/** A country, a full name in its own spelling and order, and a mailbox for it. */
function make_name()
{
    global $COUNTRIES;
    $country = pick(array_keys($COUNTRIES));
    $parts = array();
    foreach ($COUNTRIES[$country] as $names) {
        $spellings = explode(':', str_replace('_', ' ', pick(explode(' ', $names))));
        $parts[] = array($spellings[0], strtolower($spellings[count($spellings) - 1]));
    }
    $mailbox = $parts[0][1] . '.' . $parts[1][1];
    if (in_array($country, array('JP', 'KR', 'VN'), true)) {
        $parts = array_reverse($parts);
    }
    return array($country, $parts[0][0] . ' ' . $parts[1][0], $mailbox);
}

/** The token of a user's card: by number, as chance decides what was there before there were cards. */
function make_card($id)
{
    $odd = array(7 => 'tok_chargeDeclined', 19 => null, 23 => 'tok_chargeDeclinedInsufficientFunds', 39 => null);
    $card = $id % 3 === 0 ? 'tok_mastercard' : 'tok_visa';
    return array_key_exists($id % 40, $odd) ? $odd[$id % 40] : $card;
}

/** A birthday; some never said, and an old form wrote a zero date for those who left it empty. */
function make_birthday()
{
    $day = gmdate('Y-m-d', moment(gmmktime(0, 0, 0, 1, 1, 1946), gmmktime(0, 0, 0, 1, 1, 2008)));
    $kind = chance(100);
    return $kind < 10 ? null : ($kind < 16 ? '0000-00-00' : $day);
}

/** The subscriptions in the order in which they began; every eighth user never had one. */
function make_subscriptions($users, $plans)
{
    $customers = array();
    foreach ($users as $user) {
        if ($user['id'] % 8 !== 0) {
            $customers[] = $user;
        }
    }
    $taken = array();
    $rows = array();
    while (count($rows) < SUBSCRIPTIONS) {
        // First one for every customer, then a second or third for some.
        $first = count($rows) < count($customers);
        $user = $first ? $customers[count($rows)] : pick($customers);
        $plan = $plans[pick(array(0, 0, 0, 0, 1, 1, 1, 2, 2, 3))];
        if ($user['id'] === 1 && $first) {
            $plan = $plans[1];
        }
        $key = $user['id'] . '/' . $plan['id'];
        if (isset($taken[$key])) {
            continue;
        }
        $taken[$key] = true;
        $rows[] = make_subscription($user, $plan, $user['id'] === 1);
    }
    usort($rows, function ($one, $other) {
        return array($one['from'], $one['user_id'], $one['plan_id'])
            <=> array($other['from'], $other['user_id'], $other['plan_id']);
    });
    foreach ($rows as $index => &$row) {
        $row = array('id' => $index + 1) + $row;
    }
    return $rows;
}

/** One subscription, begun within the last two years, with the span that it was charged for. */
function make_subscription($user, $plan, $stays)
{
    $joined = strtotime($user['created_at'] . ' UTC');
    $from = moment(max($joined, months_later(REFERENCE, -24)), REFERENCE);
    $kind = $stays ? 0 : chance(100);
    $status = $kind < 72 ? 'active' : ($kind < 93 ? 'cancelled' : 'past_due');
    $to = $status === 'cancelled' ? moment($from, REFERENCE) : REFERENCE;
    $dates = charge_times($from, $to, $plan);
    $next = months_later($from, count($dates) * cycle_months($plan));
    if ($status === 'past_due') {
        $next = end($dates);
    }
    return array(
        'user_id' => $user['id'],
        'plan_id' => $plan['id'],
        'status' => $status,
        'next_billing_date' => gmdate('Y-m-d', $next),
        'created_at' => sql_time($from),
        'from' => $from,
        'to' => $to,
    );
}

/** How many months a charge of the plan pays for. */
function cycle_months($plan)
{
    return $plan['billing_cycle'] === 'yearly' ? 12 : 1;
}

/** When a subscription was charged: at once, and at three in the morning of each date it was due. */
function charge_times($from, $to, $plan)
{
    $times = array($from);
    $time = months_later($from, cycle_months($plan)) + 3 * 3600;
    while ($time <= $to) {
        $times[] = $time;
        $time = months_later($from, count($times) * cycle_months($plan)) + 3 * 3600;
    }
    return $times;
}

/** All charges of all subscriptions in the order in which they were made. */
function make_charges($subscriptions, $plans)
{
    $rows = array();
    foreach ($subscriptions as $subscription) {
        $plan = $plans[$subscription['plan_id'] - 1];
        $times = charge_times($subscription['from'], $subscription['to'], $plan);
        foreach ($times as $index => $time) {
            $unpaid = $subscription['status'] === 'past_due' && $index === count($times) - 1;
            $rows[] = make_charge($subscription, $plan, $time, $unpaid);
        }
    }
    usort($rows, function ($one, $other) {
        return array($one['billed_at'], $one['subscription_id']) <=> array($other['billed_at'], $other['subscription_id']);
    });
    foreach ($rows as $index => &$row) {
        $row = array('id' => $index + 1) + $row;
        $row['transaction_id'] = $row['paid_at'] === ZERO_DATETIME ? null : make_transaction($row);
        $row['refunded_amount'] = $row['status'] === 'refunded' ? $row['amount'] : '0.00';
    }
    return $rows;
}

/** The processor's name for a charge that it was told of when it took over. */
function make_transaction($row)
{
    return 'ch_imported_' . $row['id'] . '_' . str_replace('.', '', $row['amount']) . '_' . strtolower($row['currency']);
}

/** One charge: mostly paid within the minute; a few failed, were given back, or still wait. */
function make_charge($subscription, $plan, $time, $unpaid)
{
    $kind = chance(1000);
    $status = $kind < 965 ? 'paid' : ($kind < 985 ? 'failed' : 'refunded');
    if ($status !== 'refunded' && $time > REFERENCE - 2 * DAY) {
        $status = 'pending';
    }
    if ($unpaid) {
        $status = 'failed';
    }
    $settled = $status === 'paid' || $status === 'refunded';
    $cheaper = percent(4);
    $cents = (int) str_replace('.', '', $plan['price']);
    $cents = $cheaper ? intdiv($cents * 9, 10) : $cents;
    $period = $plan['billing_cycle'] === 'yearly' ? '1 year' : '1 month';
    return array(
        'subscription_id' => $subscription['id'],
        'user_id' => $subscription['user_id'],
        'amount' => sprintf('%d.%02d', intdiv($cents, 100), $cents % 100),
        'currency' => $plan['currency'],
        'status' => $status,
        'description' => $plan['name'] . ', ' . $period . ($cheaper ? ' (10% off)' : ''),
        'billed_at' => sql_time($time),
        'paid_at' => $settled ? sql_time($time + 1 + chance(40)) : ZERO_DATETIME,
    );
}
