-- Schema of the legacy billing database (MySQL 5.7 syntax; MariaDB 10.11 takes it as well).
-- No foreign keys: nothing but billing.php keeps the tables together.
-- Zero dates need a mode without NO_ZERO_DATE.
SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION';

CREATE TABLE IF NOT EXISTS users (
    id INT AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(255),
    name VARCHAR(255),
    password_hash VARCHAR(255),
    country CHAR(2) NULL,
    phone VARCHAR(40) NULL,
    birthday DATE NULL,
    is_active TINYINT(1) DEFAULT 1,
    last_login_at DATETIME DEFAULT '0000-00-00 00:00:00',
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    payment_method VARCHAR(64) NULL, -- the processor's token of the card
    KEY email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS subscription_plans (
    id INT AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(100),
    description TEXT,
    price DECIMAL(10,2),
    currency CHAR(3) DEFAULT 'EUR',
    billing_cycle ENUM('monthly', 'yearly'),
    trial_days INT DEFAULT 0,
    features TEXT /* JSON */,
    is_active TINYINT(1) DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS subscriptions (
    id INT AUTO_INCREMENT PRIMARY KEY,
    user_id INT,
    plan_id INT,
    status ENUM('active', 'cancelled', 'past_due'),
    next_billing_date DATE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    KEY user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS billing_history (
    id INT AUTO_INCREMENT PRIMARY KEY,
    subscription_id INT,
    user_id INT,
    amount DECIMAL(10,2),
    currency CHAR(3),
    status ENUM('pending', 'paid', 'failed', 'refunded'),
    description VARCHAR(255),
    billed_at DATETIME,
    paid_at DATETIME DEFAULT '0000-00-00 00:00:00',
    transaction_id VARCHAR(64) NULL, -- the processor's name for the charge
    refunded_amount DECIMAL(10,2) DEFAULT '0.00',
    KEY user_id (user_id),
    KEY subscription_id (subscription_id),
    KEY status (status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
