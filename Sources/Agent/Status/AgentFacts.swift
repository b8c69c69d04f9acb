import Base
import KafkaClient
import Logging
import Telemetry

/// What the producer machine says, as log line and metric.
struct ShippingFact: Fact {
    let notice: ProducerNotice

    var level: Logger.Level {
        switch notice {
        case .acknowledged: .trace
        case .reconciling, .reconciled, .producerIDChanged, .divided: .info
        case .retrying, .producerIDUnavailable, .tailLost, .refilled, .topicRecreated: .warning
        case .held, .indivisible, .setAside, .acknowledgedLost, .ambiguous, .intentUnreadable: .error
        case .staleState: .critical
        }
    }

    var message: String {
        switch notice {
        case .acknowledged(let partition, let records, _): "\(partition) acknowledged \(records) records"
        case .retrying(let partition, let reason): "\(partition) will be tried again: \(reason)"
        case .held(let partition, let code, let message):
            "the broker refuses a batch of \(partition) (\(code)\(message.isEmpty ? "" : ": " + message)); nothing is lost, and it is tried "
                + "again every half minute: mend the topic, its limits or the permissions"
        case .divided(let partition, let id, let refusal, let parts):
            "the broker doesn't take batch \(id) of \(partition) (\(refusal)); it is sent in \(parts) parts"
        case .setAside(let partition, let id, let refusal):
            "the broker will never take a record of \(partition) (\(refusal)): it stands in dead-letters.jsonl in the state directory as batch "
                + "\(id), and is not sent"
        case .indivisible(let partition, let refusal, let reason):
            "the broker refuses a batch of \(partition) (\(refusal)), which can't be divided now: \(reason); nothing is lost, and it is tried again "
                + "every half minute"
        case .reconciling(let partition, let reason): "\(partition): finding out what the broker holds: \(reason)"
        case .reconciled(let partition, let present, let again):
            "\(partition): \(present) pending batches were there, \(again) are sent"
        case .tailLost(let partition, let batches, let records):
            "the broker lost \(batches) batches (\(records) records) of \(partition) that it had acknowledged; they are sent again"
        case .refilled(let partition, let batches, let records):
            "the broker lost \(batches) batches (\(records) records) of \(partition) before it had acknowledged them, and kept later ones; they are sent "
                + "again: at a durability other than fsync, who had read them reads them twice"
        case .acknowledgedLost(let partition, let records):
            "the broker lost up to \(records) acknowledged records of \(partition) that are no longer held here"
        case .ambiguous(let partition, let batches, let records, let policy):
            "whether the broker has \(batches) batches (\(records) records) of \(partition) can't be known; policy '\(policy.rawValue)'"
        case .staleState(let partition, let evidence):
            "this agent's state is used by somebody else or is older than what was sent (a cloned machine, a restored backup): "
                + "\(partition): \(evidence). A new producer identity is taken; lines may come twice"
        case .topicRecreated(let partition): "the topic of \(partition) was deleted and made again"
        case .producerIDChanged(let old, let new): "producer identity \(new) (was \(old))"
        case .producerIDUnavailable(let reason): "no producer id: \(reason)"
        case .intentUnreadable(let partition, let id, let records, let reason):
            "batch \(id) of \(partition) (\(records) records) can't be read from the intent log: \(reason)"
        }
    }

    func measure(in metrics: MetricRegistry) {
        func count(_ metric: Metric, _ amount: Int = 1) { metrics.counter(metric).increment(by: amount) }
        switch notice {
        case .acknowledged(let partition, let records, let bytes):
            metrics.counter(AgentMetrics.recordsShipped, partition.topic).increment(by: records)
            metrics.counter(AgentMetrics.bytesShipped, partition.topic).increment(by: bytes)
        case .retrying: count(AgentMetrics.retries)
        case .held, .indivisible: count(AgentMetrics.held)
        case .divided: count(AgentMetrics.batchesDivided)
        case .setAside(let partition, _, _):
            metrics.counter(AgentMetrics.deadLetters, partition.topic).increment()
        case .reconciling: count(AgentMetrics.reconciliations)
        case .reconciled: break
        case .tailLost(_, _, let records): count(AgentMetrics.tailLost, records)
        case .refilled(_, _, let records): count(AgentMetrics.refilled, records)
        case .acknowledgedLost(_, let records):
            count(AgentMetrics.acknowledgedLost, Int(clamping: records))
        case .ambiguous(_, _, let records, _): count(AgentMetrics.ambiguous, records)
        case .staleState: count(AgentMetrics.staleState)
        case .topicRecreated: count(AgentMetrics.topicsRecreated)
        case .producerIDChanged: count(AgentMetrics.producerIDs)
        case .producerIDUnavailable: count(AgentMetrics.producerIDFailures)
        case .intentUnreadable(_, _, let records, _): count(AgentMetrics.unreadable, records)
        }
    }
}

/// What inputs say besides lines.
struct InputFact: Fact {
    let event: InputEvent

    var level: Logger.Level {
        switch event {
        case .retired, .positioned: .debug
        case .relieved: .trace
        case .lineCut, .lineSkipped, .nulBytesSkipped, .lineUnterminated, .truncated, .recovered: .info
        case .trouble: .warning
        case .gap: .error
        }
    }

    var message: String {
        switch event {
        case .retired(let stream): "stream \(stream) was read to its end"
        case .positioned(let checkpoint): "reading \(checkpoint.source)"
        case .lineCut(let source, let bytes): "a line of \(bytes) bytes in \(source) was cut"
        case .lineSkipped(let source, let bytes): "a line of \(bytes) bytes in \(source) was left out"
        case .nulBytesSkipped(let source, let bytes): "\(bytes) NUL bytes in \(source) were left out"
        case .lineUnterminated(let source, _): "the last line of a file of \(source) has no end"
        case .truncated(let source): "\(source) was cut or written anew: read from its beginning"
        case .gap(let source, let detail): "lines of \(source) are gone before they were read: \(detail)"
        case .trouble(let source, let detail): "\(source) can't be read: \(detail)"
        case .recovered(let source): "\(source) can be read again"
        case .relieved(let source, let counts):
            "of \(source) \(counts.dropped + counts.sampled + counts.limited) records are left out, \(counts.redacted) redacted"
        }
    }

    func measure(in metrics: MetricRegistry) {
        if case .relieved(let source, let counts) = event { return measure(counts, of: source, in: metrics) }
        let metric: Metric? =
            switch event {
            case .relieved, .retired, .positioned, .recovered: nil
            case .lineCut: AgentMetrics.linesCut
            case .lineSkipped: AgentMetrics.linesSkipped
            case .nulBytesSkipped: AgentMetrics.nulRuns
            case .lineUnterminated: AgentMetrics.linesUnterminated
            case .truncated: AgentMetrics.filesTruncated
            case .gap: AgentMetrics.gaps
            case .trouble: AgentMetrics.inputTroubles
            }
        if let metric { metrics.counter(metric).increment() }
    }

    private func measure(_ counts: ReliefCounts, of source: SourceKey, in metrics: MetricRegistry) {
        let reasons = [("drop", counts.dropped), ("sample", counts.sampled), ("rate", counts.limited)]
        for (reason, count) in reasons where count > 0 {
            metrics.counter(AgentMetrics.recordsLeftOut, source.text, reason).increment(by: count)
        }
        if counts.redacted > 0 {
            metrics.counter(AgentMetrics.recordsRedacted, source.text).increment(by: counts.redacted)
        }
    }
}

/// What a start found in the state directory.
struct StateRecovered: Fact {
    let recovery: IntentRecovery
    let path: String

    var level: Logger.Level {
        switch recovery.finding {
        case .fresh, .whole: .info
        case .damagedCheckpoint, .lostRecords: .critical
        }
    }

    var message: String {
        switch recovery.finding {
        case .fresh: "new state in \(path)"
        case .whole: "\(recovery.batchesPending) batches pending in \(path)"
        case .damagedCheckpoint(let aside):
            "the state in \(path) is damaged and was set aside as \(aside); sources are read from their beginning and may come twice"
        case .lostRecords(let position):
            "the disk lost what it had synced in \(path) (after position \(position)); the lines are read again and may come twice"
        }
    }

    func measure(in metrics: MetricRegistry) {
        switch recovery.finding {
        case .fresh, .whole: break
        case .damagedCheckpoint, .lostRecords: metrics.counter(AgentMetrics.stateDamaged).increment()
        }
    }
}
