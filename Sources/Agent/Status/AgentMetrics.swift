public import Telemetry

/// What an agent counts.
public enum AgentMetrics {
    static let recordsShipped = Metric.counter(
        "millrace_agent_records_shipped_total", "topic", help: "Lines and journal entries that a broker acknowledged.")
    static let bytesShipped = Metric.counter(
        "millrace_agent_bytes_shipped_total", "topic",
        help: "Bytes of acknowledged batches, compressed, as they went over the wire.")
    static let sourceLines = Metric.counter(
        "millrace_agent_source_lines_total", "source",
        help: "Lines of a source that were sealed on disk, by the key that its records carry (host/path, host/unit).")
    static let pendingBatches = Metric.gauge(
        "millrace_agent_pending_batches", help: "Sealed batches that no broker has acknowledged yet.")
    static let ringUsed = Metric.gauge(
        "millrace_agent_ring_used_bytes", help: "Bytes of the intent log that are taken by sealed batches.")
    static let ringSize = Metric.gauge(
        "millrace_agent_ring_bytes",
        help: "Size of the intent log (intents: size). When it is full nothing more is read.")
    static let unread = Metric.gauge(
        "millrace_agent_unread_bytes", help: "Bytes that stand in files and are not read yet.")
    static let retries = Metric.counter(
        "millrace_agent_retries_total", help: "Batches that were not acknowledged and are sent again.")
    static let held = Metric.counter(
        "millrace_agent_held_total",
        help:
            "Times that a broker refused a batch for good: nothing is lost, but its partition stands still until topic, limits or "
            + "permissions are mended.")
    static let batchesDivided = Metric.counter(
        "millrace_agent_batches_divided_total", help: "Refused batches that were divided, so that what can be taken is."
    )
    static let deadLetters = Metric.counter(
        "millrace_agent_dead_letters_total", "topic",
        help: "Records that no broker takes and that were set aside: they stand in dead-letters.jsonl in the state "
            + "directory.")
    static let reconciliations = Metric.counter(
        "millrace_agent_reconciliations_total",
        help: "Times that the agent asked what a broker holds before it sent again.")
    static let tailLost = Metric.counter(
        "millrace_agent_tail_lost_records_total",
        help: "Acknowledged records that a broker lost and that were sent again.")
    static let refilled = Metric.counter(
        "millrace_agent_refilled_records_total",
        help: "Records that a broker appended and lost before it acknowledged them, and that were sent again: "
            + "at a durability other than fsync, who had read them reads them twice.")
    static let acknowledgedLost = Metric.counter(
        "millrace_agent_acknowledged_lost_records_total",
        help: "Acknowledged records that a broker lost and that this host no longer holds: they are gone.")
    static let ambiguous = Metric.counter(
        "millrace_agent_ambiguous_records_total",
        help: "Records of which nobody can tell whether the broker has them (ambiguous: repeat sends them again).")
    static let staleState = Metric.counter(
        "millrace_agent_stale_state_total",
        help: "Times that the state directory turned out to be a clone or an old backup: lines may come twice.")
    static let topicsRecreated = Metric.counter(
        "millrace_agent_topics_recreated_total",
        help: "Topics that were deleted and made again while batches waited for them.")
    static let producerIDs = Metric.counter(
        "millrace_agent_producer_ids_total", help: "Producer identities that this agent was given.")
    static let producerIDFailures = Metric.counter(
        "millrace_agent_producer_id_failures_total", help: "Times that no producer identity was to be had.")
    static let unreadable = Metric.counter(
        "millrace_agent_unreadable_records_total",
        help: "Sealed records that can no longer be read from the intent log: the disk is damaged.")
    static let stateDamaged = Metric.counter(
        "millrace_agent_state_damaged_total",
        help: "Starts that found the state directory damaged: lines may come twice.")
    static let linesCut = Metric.counter(
        "millrace_agent_lines_cut_total", help: "Lines longer than line_max that were cut.")
    static let linesSkipped = Metric.counter(
        "millrace_agent_lines_skipped_total", help: "Lines longer than line_max that were left out (long_lines: skip).")
    static let nulRuns = Metric.counter(
        "millrace_agent_nul_runs_total", help: "Runs of NUL bytes in files that were left out.")
    static let linesUnterminated = Metric.counter(
        "millrace_agent_lines_unterminated_total",
        help: "Files whose last line has no newline; it was shipped as it stood.")
    static let filesTruncated = Metric.counter(
        "millrace_agent_files_truncated_total",
        help: "Files that were cut or written anew and are read from their beginning.")
    static let gaps = Metric.counter(
        "millrace_agent_gaps_total",
        help: "Times that lines were gone before they were read: a file deleted, a journal vacuumed.")
    static let inputTroubles = Metric.counter(
        "millrace_agent_input_troubles_total",
        help: "Times that a source could not be read, such as for want of permission.")

    static let messagesReceived = Metric.counter(
        "millrace_agent_received_messages_total", "source",
        help: "Messages and lines that a syslog or stdin source received.")
    static let bytesReceived = Metric.counter(
        "millrace_agent_received_bytes_total", "source", help: "Their bytes, without framing.")
    static let messagesDropped = Metric.counter(
        "millrace_agent_dropped_messages_total", "source", "reason",
        help: "Messages that were lost before they stood in the spool: it was full, the disk refused (disk), or the "
            + "kernel's buffer was full (kernel).")
    static let messagesUnfinished = Metric.counter(
        "millrace_agent_unfinished_messages_total", "source",
        help: "Messages whose sender closed its connection in the middle of them.")
    static let framingErrors = Metric.counter(
        "millrace_agent_framing_errors_total", "source",
        help: "Connections that were closed because what came was neither counted nor ended by newlines (RFC 6587).")
    static let connectionsRefused = Metric.counter(
        "millrace_agent_refused_connections_total", "source",
        help: "Connections that were closed at once because there were as many as there may be (connections).")
    static let syslogConnections = Metric.gauge(
        "millrace_agent_connections", "source", help: "Open connections of a syslog source.")
    static let spoolBytes = Metric.gauge(
        "millrace_agent_spool_bytes", "source",
        help: "Bytes of a source's spool on disk. A segment counts until all of it is sealed.")

    static let recordsLeftOut = Metric.counter(
        "millrace_agent_left_out_records_total", "source", "reason",
        help:
            "Records that were left out as configured (relief: drop, sample, rate); they are not among the source's lines."
    )
    static let recordsRedacted = Metric.counter(
        "millrace_agent_redacted_records_total", "source",
        help: "Records of which parts were replaced (relief: redact).")

    public static let all: [Metric] = [
        recordsShipped, bytesShipped, sourceLines, pendingBatches, ringUsed, ringSize, unread, retries, held,
        batchesDivided, deadLetters,
        reconciliations, tailLost, refilled, acknowledgedLost, ambiguous, staleState, topicsRecreated, producerIDs,
        producerIDFailures, unreadable, stateDamaged, linesCut, linesSkipped, nulRuns, linesUnterminated,
        filesTruncated, gaps, inputTroubles, messagesReceived, bytesReceived,
        messagesDropped, messagesUnfinished, framingErrors, connectionsRefused, syslogConnections, spoolBytes,
        recordsLeftOut, recordsRedacted,
    ]
}
