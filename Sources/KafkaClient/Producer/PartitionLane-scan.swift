import Base

// Looking through the log, where the broker's memory doesn't help.
extension PartitionLane {
    mutating func scan(_ purpose: ScanPurpose, _ context: inout LaneContext) {
        // What a claimed batch vouches for stays presumed until the claim is checked.
        if case .claims = purpose {} else { forgetPresumptions() }
        var candidates: [SealedBatch] = []
        var from = max(floor, .zero)
        var upTo: Offset?
        switch purpose {
        case .claims:
            var end = Offset.zero
            for entry in pending {
                guard case .claimed(let offset) = entry.status else { continue }
                from = candidates.isEmpty ? offset : min(from, offset)
                end = max(end, offset + Int64(entry.batch.recordCount))
                candidates.append(entry.batch)
            }
            from = max(from, .zero)
            upTo = end
        case .older:
            candidates = olderAcknowledged.map(\.batch)
            from = olderAcknowledged.map(\.offset).min() ?? from
            upTo = olderAcknowledged.map { $0.offset + Int64($0.batch.recordCount) }.max()
        case .pending, .unasked:
            candidates = pending.filter { $0.maybeSent && isUnanswered($0) }.map(\.batch)
            if purpose == .pending, let last = acknowledged.last, last.offset != .none, last.batch.identity == identity
            {
                if candidates.isEmpty { upTo = last.offset + Int64(last.batch.recordCount) }
                from = min(from, last.offset)
                candidates.insert(last.batch, at: 0)
            }
        // The broker's memory of the identity says no more whether what was acknowledged under it is there: the log does.
        case .everything, .renewal:
            candidates = acknowledged.map(\.batch) + pending.filter { $0.maybeSent && isUnanswered($0) }.map(\.batch)
            for entry in acknowledged where entry.offset != .none { from = min(from, entry.offset) }
            // All that we know of is gone: what is left may stand anywhere below.
            if from >= endSeen { from = .zero }
        }
        requestNumber &+= 1
        let request = ScanRequest(
            partition: partition, number: requestNumber, from: from, upTo: upTo, candidates: candidates,
            bytesMax: context.settings.scanBytesMax)
        state = .scanning(purpose, request)
        guard !candidates.isEmpty else {
            return scanned(.found([:], from: from, end: endSeen, isComplete: true), &context)
        }
        if case .claims = purpose {
        } else {
            context.report(
                .reconciling(partition, reason: "looking for \(candidates.count) batches from offset \(from) on"))
        }
        context.actions.append(.scan(request))
    }

    mutating func scanned(_ outcome: ScanOutcome, _ context: inout LaneContext) {
        guard case .scanning(let purpose, let request) = state else { return }
        switch outcome {
        case .failed(let reason):
            if failures == 0 { context.report(.retrying(partition, reason: reason)) }
            context.actions.append(.refreshMetadata(partition))
            switch purpose {
            case .claims(_, let then): pause(then.followUp, &context)
            case .renewal: pause(.renew, &context)
            case .older: pause(.inspect, &context)
            case .pending, .unasked, .everything: pause(.scan(purpose), &context)
            }
        case .refused where purpose == .older: olderChecked([:], from: endSeen, end: endSeen, &context)
        case .refused where purpose == .unasked:
            // Then its memory is all there is.
            resume(&context)
        case .refused:
            if case .claims(let isSuspicious, let then) = purpose {
                claimsChecked([:], from: .zero, canRead: false, isSuspicious, then, &context)
            } else {
                resolve(purpose, request, found: [:], from: request.from, end: endSeen, isComplete: false, &context)
            }
        case .found(let found, let from, let end, let isComplete):
            if case .claims(let isSuspicious, let then) = purpose {
                claimsChecked(found, from: from, canRead: isComplete, isSuspicious, then, &context)
            } else if purpose == .older {
                olderChecked(found, from: from, end: end, &context)
            } else {
                endSeen = max(end, isComplete ? .zero : endSeen)
                resolve(purpose, request, found: found, from: from, end: end, isComplete: isComplete, &context)
            }
        }
    }

    /// A broker that lost records from the midst of its log may have lost these, though it holds later ones.
    private mutating func olderChecked(
        _ found: [BatchID: Offset], from: Offset, end: Offset, _ context: inout LaneContext
    ) {
        isDoubtful = false
        let isLost = olderAcknowledged.contains { $0.offset >= from && $0.offset < end && found[$0.batch.id] == nil }
        if isLost { scan(.everything, &context) } else { inspect(&context) }
    }

    /// Claims are true where the log holds those very bytes.
    private mutating func claimsChecked(
        _ found: [BatchID: Offset], from: Offset, canRead: Bool, _ isSuspicious: Bool, _ then: ThenAfterClaims,
        _ context: inout LaneContext
    ) {
        var evidence: String?
        for place in pending.indices {
            guard case .claimed(let offset) = pending[place].status else { continue }
            if let at = found[pending[place].batch.id] {
                accept(place, at: at)
            } else if !isSuspicious && (!canRead || from > offset) {
                // Only read back to be sure, and it can't be: the answer stands.
                accept(place, at: offset)
            } else {
                pending[place].status = .waiting
                // Somebody else's batch was taken for ours, so ours was not appended.
                if canRead && from <= offset { pending[place].maybeSent = false }
                evidence =
                    evidence
                    ?? "a batch was acknowledged at offset \(offset), where the log ended at \(endSeen) and holds another"
            }
        }
        readsBack = false
        claimIsSuspicious = false
        isKnown = evidence == nil
        settle(&context)
        if let evidence {
            giveUpIdentity(evidence, &context)
            renew(&context)
        } else if isSuspicious {
            context.report(.reconciling(partition, reason: "the log ends below what was acknowledged"))
            scan(.everything, &context)
        } else {
            follow(then.followUp, &context)
        }
    }

    private mutating func resolve(
        _ purpose: ScanPurpose, _ request: ScanRequest, found: [BatchID: Offset], from: Offset, end: Offset,
        isComplete: Bool, _ context: inout LaneContext
    ) {
        let candidates = Set(request.candidates.map(\.id))
        var doubtful: (batches: Int, records: Int) = (0, 0)
        var lost: [Int] = []
        // A batch whose offset was never told stands above those that were acknowledged before it.
        var isBoundedBelow = request.from == .zero
        for place in acknowledged.indices where candidates.contains(acknowledged[place].batch.id) {
            let entry = acknowledged[place]
            if entry.offset != .none { isBoundedBelow = true }
            if let at = found[entry.batch.id] {
                acknowledged[place].offset = at
                // Seen with our own eyes: its being unknown is no longer suspicious.
                acknowledged[place].at = nil
            } else if entry.offset != .none && entry.offset < from {
                // Older than what the log keeps.
                continue
            } else if isComplete
                ? (entry.offset != .none || isBoundedBelow) : (entry.offset != .none && entry.offset < end)
            {
                lost.append(place)
            } else if purpose == .everything {
                doubtful.batches += 1
                doubtful.records += Int(entry.batch.recordCount)
                if context.settings.ambiguous == .repeat { lost.append(place) }
            }
        }
        var present = 0
        var doubted: [Int] = []
        for place in pending.indices where candidates.contains(pending[place].batch.id) {
            if let at = found[pending[place].batch.id] {
                pending[place].status = .acknowledged(at)
                present += 1
            } else if isComplete && from <= request.from {
                pending[place].maybeSent = false
            } else {
                doubted.append(place)
            }
        }
        if purpose == .pending && !lost.isEmpty {
            // More than the newest may be gone.
            settle(&context)
            return scan(.everything, &context)
        }
        if purpose == .unasked {
            // A broker that remembers a batch answers with its offset; one that forgot takes it for new, as the log says it is.
            settle(&context)
            failures = 0
            isKnown = false
            let again = pending.count { isUnanswered($0) }
            context.report(.reconciled(partition, present: present, sentAgain: again))
            return resume(&context)
        }
        for place in doubted {
            doubtful.batches += 1
            doubtful.records += Int(pending[place].batch.recordCount)
            switch context.settings.ambiguous {
            case .repeat: pending[place].maybeSent = false
            case .skip: pending[place].status = .acknowledged(.none)
            }
        }
        reportHoles(sparing: doubted, &context)
        if doubtful.batches > 0 {
            context.report(
                .ambiguous(
                    partition, batches: doubtful.batches, records: doubtful.records, policy: context.settings.ambiguous)
            )
        }
        if purpose == .everything || purpose == .renewal {
            let gone = isComplete ? recordsGone(lost, found: found, end: end) : recordsBehind ?? 0
            recordsBehind = nil
            reopen(lost, &context)
            lowerFloor(&context)
            if gone > 0 { context.report(.acknowledgedLost(partition, records: gone)) }
        }
        settle(&context)
        failures = 0
        hasOpened = true
        let again = pending.count { isUnanswered($0) }
        context.report(.reconciled(partition, present: present, sentAgain: again))
        if mustRenew {
            finishRenewal(&context)
        } else if again > 0 {
            beginEpoch(&context)
        } else {
            resume(&context)
        }
    }
}

extension PartitionLane {
    /// What isn't there although a later batch is was appended before that one.
    private func reportHoles(sparing doubted: [Int], _ context: inout LaneContext) {
        let isFound = { (entry: Pending) in
            if case .acknowledged(let offset) = entry.status { offset != .none } else { false }
        }
        guard let last = pending.lastIndex(where: { $0.batch.identity == identity && isFound($0) }) else { return }
        let holes = pending[..<last].indices.filter {
            isUnanswered(pending[$0]) && pending[$0].batch.identity == identity && !doubted.contains($0)
        }
        guard !holes.isEmpty else { return }
        let records = holes.reduce(0) { $0 + Int(pending[$1].batch.recordCount) }
        context.report(.refilled(partition, batches: holes.count, records: records))
    }

    /// How many acknowledged records the broker lost that the intent log let go before: what stood between the log's end and the
    /// first batch that is still held, others' records among them where the partition has other producers.
    private func recordsGone(_ lost: [Int], found: [BatchID: Offset], end: Offset) -> Int64 {
        if let recordsBehind { return recordsBehind }
        // Where the newest of them is there, so are all before it.
        if acknowledged.contains(where: { found[$0.batch.id] != nil }) { return 0 }
        let records = lost.reduce(Int64(0)) { $0 + Int64(acknowledged[$1].batch.recordCount) }
        let first = lost.lazy.map { acknowledged[$0].offset }.filter { $0 != .none }.min()
        return max(0, (first ?? floor + -records) - end)
    }
}

extension PartitionLane.ThenAfterClaims {
    var followUp: PartitionLane.FollowUp {
        switch self {
        case .resend: .resend
        case .inspect: .inspect
        case .scanPending: .scan(.pending)
        case .scanEverything: .scan(.everything)
        case .renew: .renew
        }
    }
}
