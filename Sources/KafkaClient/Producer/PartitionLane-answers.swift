import Base
import KafkaWire

// What the answer to a Produce means.
extension PartitionLane {
    mutating func produced(_ id: BatchID, _ outcome: ProduceOutcome, _ context: inout LaneContext) {
        guard let place = place(of: id), pending[place].status == .inFlight else { return }
        inFlightCount -= 1
        context.inFlightBytes -= pending[place].batch.byteCount
        switch outcome {
        case .acknowledged(let offset): batchAcknowledged(at: place, offset, &context)
        case .unanswered(let reason):
            pending[place].status = .waiting
            fail(.inspect, reason: reason, refreshing: true, &context)
        case .unsent(let reason):
            pending[place].status = .waiting
            pending[place].maybeSent = pending[place].wasMaybeSent
            fail(.inspect, reason: reason, refreshing: true, &context)
        case .refused(let code, let message): refused(at: place, code, message, &context)
        }
        fill(&context)
        drained(&context)
    }

    private mutating func batchAcknowledged(at place: Int, _ offset: Offset, _ context: inout LaneContext) {
        let isNew = !pending[place].wasMaybeSent
        // A batch that was never sent can't stand where the log had been written before; nor any below what was acknowledged.
        // But one that was sent before the log was last looked at may stand in what was there then: a broker that lost others of ours from its
        // midst keeps it, and the others come after it.
        let stoodThere = !isNew && offset >= floorInspected && offset < endInspected
        let isBelow = offset != .none && !stoodThere && (offset < floor || (isNew && offset < endSeen))
        let isDoubted: Bool = if case .draining = state { hasClaims } else { false }
        let wasSilent = acknowledgedAt.map { context.now - $0 >= context.settings.readBackAfter } ?? false
        if isBelow || isDoubted || ((readsBack || wasSilent) && isNew && offset != .none) {
            if isBelow { claimIsSuspicious = true }
            pending[place].status = .claimed(offset)
            drain(.resend, &context)
            return
        }
        accept(place, at: offset)
        settle(&context)
    }

    /// The broker holds the batch, and those of which it was said that they stand before it.
    mutating func accept(_ place: Int, at offset: Offset) {
        failures = 0
        strikes = 0
        isKnown = true
        pending[place].status = .acknowledged(offset)
        for earlier in pending.startIndex..<place where pending[earlier].status == .presumed {
            pending[earlier].status = .acknowledged(.none)
        }
    }

    /// Moves the acknowledged prefix over.
    mutating func settle(_ context: inout LaneContext) {
        var records = 0
        var bytes = 0
        var refills: (batches: Int, records: Int) = (0, 0)
        while let first = pending.first, case .acknowledged(let offset) = first.status {
            pending.removeFirst()
            // Only of what was there before: a lost tail may be told by a new batch first.
            let stoodThere = first.wasMaybeSent && offset < endInspected
            for place in stoodThere ? refilled(before: first.batch, at: offset) : [] {
                acknowledged[place].isRefill = true
                refills.batches += 1
                refills.records += Int(acknowledged[place].batch.recordCount)
            }
            acknowledged.append(Acknowledged(batch: first.batch, offset: offset, at: context.now))
            if offset != .none { floor = max(floor, offset + Int64(first.batch.recordCount)) }
            context.actions.append(.recordAcknowledgement(first.batch.id, partition, offset))
            acknowledgedAt = context.now
            progressAt = context.now
            records += Int(first.batch.recordCount)
            bytes += first.batch.byteCount
        }
        if records > 0 { context.report(.acknowledged(partition, records: records, bytes: bytes)) }
        if refills.batches > 0 {
            context.report(.refilled(partition, batches: refills.batches, records: refills.records))
        }
    }

    /// Batches are appended in the order of their sequences: one that stands above its successor was appended before that, too, and lost.
    private func refilled(before batch: SealedBatch, at offset: Offset) -> [Int] {
        guard offset != .none else { return [] }
        var places: [Int] = []
        for place in acknowledged.indices.reversed() where acknowledged[place].batch.identity == batch.identity {
            let earlier = acknowledged[place]
            if earlier.offset == .none || earlier.isRefill { continue }
            guard earlier.offset > offset else { break }
            places.append(place)
        }
        return places
    }

    private mutating func refused(at place: Int, _ code: ErrorCode, _ message: String, _ context: inout LaneContext) {
        pending[place].status = .waiting
        let reason = message.isEmpty ? code.description : "\(code): \(message)"
        let verdict = ProduceVerdict(code)
        // Refused for what it is, it was not appended this time.
        if verdict == .divide { pending[place].maybeSent = pending[place].wasMaybeSent }
        switch verdict {
        case .acknowledged: preconditionFailure("no error was refused")
        case .retry(let refreshing): fail(.resend, reason: reason, refreshing: refreshing, &context)
        case .reconcile:
            // After an older batch failed, its successors can't be in sequence; the answer to the older one may come later.
            let isConsequence = pending[pending.startIndex..<place].contains {
                $0.status == .waiting || $0.status == .inFlight
            }
            if isConsequence {
                drain(.resend, &context)
            } else {
                strikes += 1
                context.report(.reconciling(partition, reason: reason))
                // The broker is there and answered: the first question needs no pause.
                drain(
                    .inspect, pause: strikes > 1 ? backoff(context.settings, failures: strikes) : .zero, &context)
            }
        case .renew:
            giveUpIdentity("the broker answered \(reason) for producer \(identity)", &context)
            drain(.renew, &context)
        case .divide: divide(at: place, BatchRefusal(code: code, message: message), &context)
        case .hold:
            context.report(.held(partition, code, message: message))
            drain(.resend, pause: context.settings.holdPause, &context)
        }
    }

    private mutating func divide(at place: Int, _ refusal: BatchRefusal, _ context: inout LaneContext) {
        if pending[place].maybeSent {
            // An earlier attempt may have been appended: only the log tells, and it is searched for the batch as it was sent.
            drain(.scan(.pending), &context)
        } else {
            dividing = pending[place].batch.id
            drain(.resend, &context)
            context.actions.append(.divide(pending[place].batch, refusal))
        }
    }

    /// The parts have the sequences of the whole, so what was in flight behind it still follows.
    mutating func divided(
        _ id: BatchID, _ division: BatchDivision, _ refusal: BatchRefusal, _ context: inout LaneContext
    ) {
        guard dividing == id, let place = place(of: id) else { return }
        dividing = nil
        switch division {
        case .parts(let parts):
            precondition(
                parts.first?.baseSequence == pending[place].batch.baseSequence
                    && parts.last?.nextSequence == pending[place].batch.nextSequence, "the parts aren't the whole")
            pending.remove(at: place)
            pending.insert(contentsOf: parts.map { Pending(batch: $0) }, at: place)
            context.report(.divided(partition, id, refusal, parts: parts.count))
        case .setAside:
            pending.remove(at: place)
            context.report(.setAside(partition, id, refusal))
            // Its sequence is missing now: the rest needs new ones.
            hasHole = true
            drain(.scan(.pending), &context)
        case .impossible(let reason):
            context.report(.indivisible(partition, refusal, reason: reason))
            drain(.resend, pause: context.settings.holdPause, &context)
        }
        drained(&context)
    }

    private mutating func fail(
        _ next: FollowUp, reason: String, refreshing: Bool, _ context: inout LaneContext
    ) {
        isDoubtful = true
        if case .draining = state {
        } else {
            failures += 1
            context.report(.retrying(partition, reason: reason))
        }
        if refreshing { context.actions.append(.refreshMetadata(partition)) }
        drain(next, pause: backoff(context.settings, failures: failures), &context)
    }

    mutating func intentUnreadable(_ id: BatchID, reason: String, _ context: inout LaneContext) {
        guard let place = place(of: id), pending[place].status == .inFlight else { return }
        let batch = pending[place].batch
        inFlightCount -= 1
        context.inFlightBytes -= batch.byteCount
        pending.remove(at: place)
        context.report(.intentUnreadable(partition, id, records: Int(batch.recordCount), reason: reason))
        context.actions.append(.recordGivingUp(id))
        hasHole = true
        // Its sequences are missing now: the rest needs new ones.
        drain(.scan(.pending), &context)
        drained(&context)
    }

    var hasClaims: Bool {
        pending.contains { if case .claimed = $0.status { true } else { false } }
    }

    func place(of id: BatchID) -> Int? {
        var low = pending.startIndex
        var high = pending.endIndex
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].batch.id < id { low = middle + 1 } else { high = middle }
        }
        return low < pending.endIndex && pending[low].batch.id == id ? low : nil
    }
}
