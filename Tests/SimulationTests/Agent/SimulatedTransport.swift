import Base
import KafkaClient
import KafkaWire
import NIOCore
import Records

/// Carries the producer machine's requests over the simulated network, each as the several requests that it is in `ClusterTransport`.
final class SimulatedTransport: ProducerTransport {
    private let world: World
    private let link: Link
    var deliver: (ProducerAnswer) -> Void = { _ in }

    init(_ world: World, _ link: Link) {
        self.world = world
        self.link = link
    }

    func begin(_ request: ProducerRequest) {
        switch request {
        case .produce(let batch, let bytes):
            world.note(
                "\(link.name): produce \(batch.id) \(batch.identity) #\(batch.baseSequence)+\(batch.recordCount)")
            link.send(.produce(batch.partition, bytes)) { [self] outcome in
                deliver(.produced(batch.id, batch.partition, Self.produced(outcome)))
            }
        case .inspect(let request): inspect(request)
        case .scan(let request, let fingerprints): scan(request, fingerprints)
        case .obtainProducerID:
            link.send(.initProducerID) { [self] outcome in
                guard case .answered(.producerID(let identity)) = outcome else {
                    return deliver(.producerIDFailed(reason: "\(outcome)"))
                }
                deliver(.producerIDObtained(identity))
            }
        case .refreshMetadata(let partition): link.forgetRoute(partition)
        }
    }

    private static func produced(_ outcome: Link.Outcome) -> ProduceOutcome {
        switch outcome {
        case .answered(.produced(.none, let offset)): .acknowledged(baseOffset: offset)
        case .answered(.produced(let code, _)), .answered(.failed(let code)): .refused(code, message: "")
        case .answered(let other): preconditionFailure("a produce was answered with \(other)")
        case .unanswered: .unanswered(reason: "the connection was lost")
        case .unsent: .unsent(reason: "no connection")
        }
    }

    // MARK: - Inspection

    private func inspect(_ request: InspectRequest) {
        let partition = request.partition
        link.forgetRoute(partition)
        let fail = { [self] in deliver(.inspected(partition, number: request.number, .failed(reason: "lost"))) }
        link.send(.describeProducers(partition, request.producer)) { [self] outcome in
            guard case .answered(.producer(let producer)) = outcome else { return fail() }
            link.send(.listOffsets(partition)) { [self] outcome in
                guard case .answered(.offsets(let topicID, let start, let end)) = outcome else { return fail() }
                world.note("\(link.name): \(partition) ends at \(end), producer \(request.producer) is \(producer)")
                deliver(
                    .inspected(
                        partition, number: request.number,
                        .report(PartitionReport(topicID: topicID, logStart: start, logEnd: end, producer: producer))))
            }
        }
    }

    // MARK: - Scanning

    private struct Scan {
        var request: ScanRequest
        var fingerprints: [BatchID: BatchFingerprint]
        var from: Offset
        var end: Offset
        var next: Offset
        var found: [BatchID: Offset] = [:]

        var limit: Offset { min(request.upTo ?? end, end) }
    }

    private func scan(_ request: ScanRequest, _ fingerprints: [BatchID: BatchFingerprint]) {
        link.send(.listOffsets(request.partition)) { [self] outcome in
            guard case .answered(.offsets(_, let start, let end)) = outcome else {
                return deliver(.scanned(request.partition, number: request.number, .failed(reason: "lost")))
            }
            let from = max(request.from, start)
            go(Scan(request: request, fingerprints: fingerprints, from: from, end: end, next: from))
        }
    }

    private func go(_ scan: Scan) {
        let partition = scan.request.partition
        guard scan.next < scan.limit else {
            return deliver(
                .scanned(
                    partition, number: scan.request.number,
                    .found(scan.found, from: scan.from, end: max(scan.end, scan.from), isComplete: true)))
        }
        link.send(.fetch(partition, from: scan.next, lastEpoch: .none, bytesMax: .kib(2))) { [self] outcome in
            var scan = scan
            guard case .answered(.fetched(let bytes, _, _)) = outcome, Self.take(bytes, &scan) else {
                return deliver(
                    .scanned(partition, number: scan.request.number, .failed(reason: "lost, or nothing there")))
            }
            go(scan)
        }
    }

    /// False where no batch came.
    private static func take(_ bytes: ByteBuffer, _ scan: inout Scan) -> Bool {
        let before = scan.next
        var cursor = RecordBatchCursor(bytes)
        while let batch = try? cursor.next() {
            if batch.nextOffset <= scan.next { continue }
            scan.next = batch.nextOffset
            let identity = ProducerIdentity(id: batch.producerID, epoch: batch.producerEpoch)
            let candidate = scan.request.candidates.first {
                $0.identity == identity && $0.baseSequence == batch.baseSequence
            }
            guard let candidate, let print = scan.fingerprints[candidate.id], print.matches(batch) else { continue }
            scan.found[candidate.id] = batch.baseOffset
        }
        return scan.next > before
    }
}
