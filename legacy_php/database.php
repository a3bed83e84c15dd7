<?php
/**
 * Direct database access: one connection per request, opened at the first query and thrown away at
 * the end. Every value is bound, never pasted into the SQL. Prepared statements also give integers
 * back as integers; DECIMAL, DATE and DATETIME come as strings, zero dates included.
 */
if (!defined('BILLING_APP')) {
    http_response_code(404);
    header('Content-Type: application/json; charset=utf-8');
    exit('{"status":"error","message":"Not found"}');
}

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

/** The connection of this request, in a global variable. */
function db()
{
    global $DB;
    if ($DB === null) {
        $connection = mysqli_init();
        $connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, DB_TIMEOUT);
        $connection->options(MYSQLI_OPT_READ_TIMEOUT, DB_READ_TIMEOUT);
        $connection->real_connect(DB_HOST, DB_USER, DB_PASSWORD, DB_NAME, DB_PORT);
        $connection->set_charset('utf8mb4');
        // Not strict: zero dates are allowed. UTC: TIMESTAMP columns follow the session's zone.
        $connection->query("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'");
        $DB = $connection;
    }
    return $DB;
}

/** Runs one statement with its values bound, and returns it. */
function db_run($sql, $values = array())
{
    $statement = db()->prepare($sql);
    if ($values) {
        $types = '';
        foreach ($values as $value) {
            $types .= is_int($value) ? 'i' : 's';
        }
        $statement->bind_param($types, ...$values);
    }
    $statement->execute();
    return $statement;
}

/** All rows of a query, each as an array by column name. */
function db_rows($sql, $values = array())
{
    return db_run($sql, $values)->get_result()->fetch_all(MYSQLI_ASSOC);
}

/** The first row of a query, or null. */
function db_row($sql, $values = array())
{
    return db_run($sql, $values)->get_result()->fetch_assoc();
}

/** The first column of the first row of a query, or null. */
function db_value($sql, $values = array())
{
    $row = db_run($sql, $values)->get_result()->fetch_row();
    return $row === null ? null : $row[0];
}

/** Runs an INSERT and returns the new id. */
function db_insert($sql, $values)
{
    return db_run($sql, $values)->insert_id;
}
