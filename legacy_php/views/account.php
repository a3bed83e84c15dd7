<?php
if (!defined('BILLING_APP')) {
    http_response_code(404);
    header('Content-Type: application/json; charset=utf-8');
    exit('{"status":"error","message":"Not found"}');
}

/** Text for HTML: nothing that a customer wrote is markup. */
function h($text)
{
    return htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}
?>
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title><?= h($user['name']) ?> - Billing</title>
  <style>
    body { font: 14px Verdana, sans-serif; margin: 2em auto; width: 52em; }
    table { border-collapse: collapse; width: 100%; }
    td, th { border: 1px solid #ccc; padding: .3em .6em; text-align: left; }
    td.money { text-align: right; }
  </style>
</head>
<body>
  <h1><?= h($user['name']) ?></h1>
  <p>
    <?= h($user['email']) ?>,
    customer since <?= h(substr($user['created_at'], 0, 10)) ?>,
    born <?= $user['birthday'] === null || $user['birthday'] === '0000-00-00' ? 'unknown' : h($user['birthday']) ?>
  </p>
  <form id="logout" method="post" action="/api/logout"><button type="submit">Log out</button></form>

  <h2>Subscriptions</h2>
  <table id="subscriptions">
    <tr><th>No.</th><th>Plan</th><th>Status</th><th>Price</th><th>Next billing</th></tr>
<?php foreach (db_rows('SELECT * FROM subscriptions WHERE user_id = ? ORDER BY id', array($user['id'])) as $row): ?>
<?php $plan = db_row('SELECT * FROM subscription_plans WHERE id = ?', array($row['plan_id'])); ?>
    <tr>
      <td><?= $row['id'] ?></td>
      <td><?= h($plan['name'] ?? '?') ?></td>
      <td><?= h($row['status']) ?></td>
      <td class="money"><?= h($plan['price'] ?? '') ?> <?= h($plan['currency'] ?? '') ?></td>
      <td><?= $row['status'] === 'cancelled' ? '-' : h($row['next_billing_date']) ?></td>
    </tr>
<?php endforeach; ?>
  </table>

  <h2>Latest charges</h2>
  <table id="charges">
    <tr><th>No.</th><th>Date</th><th>Description</th><th>Amount</th><th>Status</th><th>Paid</th></tr>
<?php foreach (db_rows('SELECT * FROM billing_history WHERE user_id = ? ORDER BY id DESC LIMIT 10', array($user['id'])) as $row): ?>
    <tr>
      <td><?= $row['id'] ?></td>
      <td><?= h($row['billed_at']) ?></td>
      <td><?= h($row['description']) ?></td>
      <td class="money"><?= h($row['amount']) ?> <?= h($row['currency']) ?></td>
      <td><?= h($row['status']) ?></td>
      <td><?= $row['paid_at'] === ZERO_DATETIME ? '-' : h($row['paid_at']) ?></td>
    </tr>
<?php endforeach; ?>
  </table>
  <script>
    document.getElementById('logout').onsubmit = function () {
      var request = new XMLHttpRequest();
      request.open('POST', '/api/logout');
      request.onload = function () { location.href = '/login'; };
      request.send();
      return false;
    };
  </script>
</body>
</html>
