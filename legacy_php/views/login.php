<?php
if (!defined('BILLING_APP')) {
    http_response_code(404);
    header('Content-Type: application/json; charset=utf-8');
    exit('{"status":"error","message":"Not found"}');
}
$users = db_value('SELECT COUNT(*) FROM users WHERE is_active = 1');
?>
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Log in - Billing</title>
  <style>
    body { font: 14px Verdana, sans-serif; margin: 3em auto; width: 22em; }
    label { display: block; margin: 1em 0 .2em; }
    input { width: 100%; box-sizing: border-box; padding: .4em; }
    button { margin-top: 1em; padding: .4em 2em; }
    #problem { color: #a00; }
  </style>
</head>
<body>
  <h1>Billing</h1>
  <p><?= number_format($users) ?> customers trust us.</p>
  <form id="login" method="post" action="/api/login">
    <label for="email">E-mail</label>
    <input id="email" name="email" type="email" autocomplete="username" required>
    <label for="password">Password</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required>
    <button type="submit">Log in</button>
    <p id="problem" role="alert"></p>
  </form>
  <script>
    document.getElementById('login').onsubmit = function () {
      var request = new XMLHttpRequest();
      request.open('POST', '/api/login');
      request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
      request.onload = function () {
        if (request.status === 200) {
          location.href = '/account';
        } else {
          document.getElementById('problem').textContent = JSON.parse(request.responseText).message;
        }
      };
      request.send('email=' + encodeURIComponent(this.email.value) +
                   '&password=' + encodeURIComponent(this.password.value));
      return false;
    };
  </script>
</body>
</html>
