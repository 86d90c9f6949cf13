-- Trades by minute, hour and day (UTC); intervals without a trade are absent.
-- migrate:up
CREATE TABLE kline (
    contract_idx     bigint NOT NULL,
    interval_s       bigint NOT NULL CHECK (interval_s IN (60, 3600, 86400)),
    open_ns          bigint NOT NULL CHECK (open_ns % (interval_s * 1000000000) = 0),
    open_ticks       bigint NOT NULL,
    high_ticks       bigint NOT NULL,
    low_ticks        bigint NOT NULL,
    close_ticks      bigint NOT NULL,
    volume_lots      bigint NOT NULL CHECK (volume_lots > 0),
    volume_tick_lots bigint NOT NULL,
    trade_count      bigint NOT NULL CHECK (trade_count > 0),
    PRIMARY KEY (contract_idx, interval_s, open_ns)
) WITH (fillfactor = 70);

-- The first command of each minute: how a time becomes a range of seq in every other table.
CREATE TABLE journal_minute (
    minute_ns bigint PRIMARY KEY CHECK (minute_ns % 60000000000 = 0),
    first_seq bigint NOT NULL UNIQUE
);
GRANT SELECT, INSERT, UPDATE ON kline TO wellhead_app;
GRANT SELECT, INSERT ON journal_minute TO wellhead_app;
