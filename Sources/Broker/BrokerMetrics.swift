public import Telemetry

/// What a broker counts.
public enum BrokerMetrics {
    static let requests = Metric.counter(
        "millrace_broker_requests_total", "listener", help: "Requests that were taken up.")
    static let connections = Metric.gauge("millrace_broker_connections", "listener", help: "Open connections.")
    static let connectionsRefused = Metric.counter(
        "millrace_broker_connections_refused_total", "listener",
        help: "Connections that were ended because the peer broke the protocol or a limit.")
    static let connectionsTurnedAway = Metric.counter(
        "millrace_broker_connections_turned_away_total", "listener", "limit",
        help:
            "Connections that were not taken since too many are open (limits: connections, connections_per_address, unauthenticated_connections)."
    )
    static let unauthenticated = Metric.gauge(
        "millrace_broker_unauthenticated_connections", "listener",
        help: "Connections in their TLS handshake or authentication (limits: unauthenticated_connections).")
    static let authenticated = Metric.counter(
        "millrace_broker_authentications_total", "listener", help: "Clients that proved who they are.")
    static let authenticationsFailed = Metric.counter(
        "millrace_broker_authentications_failed_total", "listener",
        help: "Clients that did not prove who they say they are; the log names some.")
    static let certificateExpiry = Metric.gauge(
        "millrace_broker_certificate_expiry_seconds", "listener",
        help: "When the listener's certificate expires, in seconds since 1970.")
    static let certificatesLoaded = Metric.counter(
        "millrace_broker_certificates_loaded_total", "listener", help: "Certificates that came into use.")
    static let certificatesUnusable = Metric.counter(
        "millrace_broker_certificates_unusable_total", "listener",
        help: "Times that the files of a certificate changed into something that can't be used; the log says why.")
    static let requestBytes = Metric.gauge(
        "millrace_broker_request_bytes",
        help: "Bytes of requests that are being worked on (limits: request_bytes_in_flight).")
    static let requestWaits = Metric.counter(
        "millrace_broker_request_waits_total", help: "Requests that had to wait for memory.")
    static let requestBudgetExhausted = Metric.counter(
        "millrace_broker_request_budget_exhausted_total",
        help: "Times that the memory for requests ran out and sockets were not read.")
    static let partitions = Metric.gauge("millrace_broker_partitions", help: "Partitions of all topics.")
    static let topicsCreated = Metric.counter("millrace_broker_topics_created_total", help: "Topics that were created.")
    static let topicsDeleted = Metric.counter("millrace_broker_topics_deleted_total", help: "Topics that were deleted.")
    static let partitionsOffline = Metric.counter(
        "millrace_broker_partitions_offline_total", help: "Partitions that went offline; the log says why.")
    static let appendedBytes = Metric.counter(
        "millrace_broker_appended_bytes_total", help: "Bytes of record batches that were appended to logs.")
    static let appends = Metric.counter(
        "millrace_broker_appends_total", "thread",
        help: "Appends, by the thread that wrote them: an event loop or a disk lane.")
    static let appendsTurnedAway = Metric.counter(
        "millrace_broker_appends_turned_away_total",
        help: "Appends that were turned away because too much waits for the disk (limits: disk_jobs, disk_job_bytes).")
    static let transactionsTimedOut = Metric.counter(
        "millrace_broker_transactions_timed_out_total",
        help: "Transactions that were aborted because their producer did not end them in time.")
    static let hangingTransactions = Metric.counter(
        "millrace_broker_hanging_transactions_ended_total",
        help:
            "Transactions that were open in a log though no transactional id knew of them; the log says how they ended."
    )
    static let appendsFailed = Metric.counter(
        "millrace_broker_appends_failed_total", help: "Appends that failed in the disk, not for what was in them.")
    static let loopWritesPaused = Metric.counter(
        "millrace_broker_loop_writes_paused_total",
        help: "Times that a write on an event loop took long, so that the disk lanes wrote for a while.")
    static let coldFetches = Metric.counter(
        "millrace_broker_cold_fetches_total", help: "Fetches whose bytes had to be read from the disk first.")
    static let coldBytes = Metric.counter(
        "millrace_broker_cold_fetch_bytes_total", help: "Bytes that were read from the disk for fetches.")
    static let fetchSessions = Metric.gauge("millrace_broker_fetch_sessions", help: "Fetch sessions that are kept.")
    static let fetchSessionPartitions = Metric.gauge(
        "millrace_broker_fetch_session_partitions", help: "Partitions that all fetch sessions remember.")
    static let fetchSessionsEvicted = Metric.counter(
        "millrace_broker_fetch_sessions_evicted_total", help: "Fetch sessions that made room for others.")
    static let groupRecordsSkipped = Metric.counter(
        "millrace_broker_group_records_skipped_total", help: "Records of __consumer_offsets that could not be read.")
    static let offsetsExpired = Metric.counter(
        "millrace_broker_offsets_expired_total", help: "Committed offsets that outlived offset_retention.")
    static let logEvents = Metric.counter(
        "millrace_log_events_total", "event",
        help: "What the log engine reported, such as disk-full or segment-quarantined, by its name.")

    public static let all: [Metric] = [
        requests, connections, connectionsRefused, connectionsTurnedAway, unauthenticated, certificateExpiry,
        certificatesLoaded, certificatesUnusable, authenticated, authenticationsFailed, requestBytes, requestWaits,
        requestBudgetExhausted, partitions, topicsCreated, topicsDeleted, partitionsOffline, appendedBytes, appends,
        appendsTurnedAway, appendsFailed, transactionsTimedOut, hangingTransactions, loopWritesPaused, coldFetches,
        coldBytes, fetchSessions,
        fetchSessionPartitions, fetchSessionsEvicted, groupRecordsSkipped, offsetsExpired, logEvents,
    ]
}
