import Base
import KafkaClient
import NIOCore
import Records

/// The broker of a history, and the way to it: answers come late, get lost, or say no.
final class HistoryBroker {
    unowned let history: FileHistory
    let model = ModelBroker()

    init(_ history: FileHistory) { self.history = history }

    /// All lines by their source's key, those of events of several lines too, in the order of their partition.
    var lines: [String: [String]] {
        var lines: [String: [String]] = [:]
        for target in model.partitions.keys.sorted() {
            for stored in model.partitions[target]!.log {
                var records = try! stored.batch.records(decompressedMax: .mib(16))
                while let record = try! records.next() {
                    let key = record.key.map { String(decoding: $0.readableBytesView, as: UTF8.self) } ?? ""
                    lines[key, default: []] += record.value!.readableBytesView
                        .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                        .map { String(decoding: $0, as: UTF8.self) }
                }
            }
        }
        return lines
    }
}

/// One life's connection: in order, until something is lost; then everything under way is lost with it.
final class HistoryTransport: ProducerTransport {
    private unowned let history: FileHistory
    private let broker: HistoryBroker
    private let deliver: (ProducerAnswer) -> Void
    private var connection = 0
    private var routes: [TopicPartition: Int] = [:]
    private var lastArrival = Instant.zero

    init(_ history: FileHistory, deliver: @escaping (ProducerAnswer) -> Void) {
        self.history = history
        broker = history.broker
        self.deliver = deliver
    }

    func begin(_ request: ProducerRequest) {
        var connection = connection
        switch request {
        case .refreshMetadata(let partition):
            routes[partition] = nil
            return
        case .inspect(let request): routes[request.partition] = nil
        case .produce(let batch, _):
            connection = routes[batch.partition] ?? connection
            routes[batch.partition] = connection
        case .scan, .obtainProducerID: break
        }
        let isTroubled = history.isStormy && history.traits.brokerTrouble
        let delay = Duration.milliseconds(Int.random(in: 1...(isTroubled ? 60 : 5), using: &history.random))
        let arrival = max(history.now + delay, lastArrival)
        lastArrival = arrival
        let isLost = isTroubled && history.random.oneIn(40)
        let isRefused = isTroubled && history.random.oneIn(60)
        let isAnswerLost = isTroubled && history.random.oneIn(40)
        history.at(arrival) { [self] in
            guard broker.model.isUp, connection == self.connection, !isLost else {
                if isLost { self.connection += 1 }
                return history.after(.milliseconds(30)) { [self] in deliver(Self.failure(of: request)) }
            }
            if isRefused, case .produce(let batch, _) = request {
                return deliver(.produced(batch.id, batch.partition, .refused(.notEnoughReplicas, message: "")))
            }
            let answer = perform(request)
            if case .produce(let batch, let bytes) = request {
                let lines = (try? RecordBatch(bytes)).map { ModelBroker.lines(of: $0).map { $0.prefix(8) } } ?? []
                history.note("broker gets \(batch.id): \(lines.first ?? "") … \(lines.last ?? "") (\(lines.count))")
            }
            if isAnswerLost { self.connection += 1 }
            history.after(.milliseconds(2)) { [self] in
                deliver(connection == self.connection ? answer : Self.failure(of: request))
            }
        }
    }

    private func perform(_ request: ProducerRequest) -> ProducerAnswer {
        let model = broker.model
        switch request {
        case .produce(let batch, let bytes):
            return .produced(batch.id, batch.partition, model.produce(batch.partition, bytes))
        case .inspect(let request):
            return .inspected(
                request.partition, number: request.number, .report(model.inspect(request.partition, request.producer)))
        case .scan(let request, let fingerprints):
            return .scanned(request.partition, number: request.number, model.scan(request, fingerprints))
        case .obtainProducerID: return .producerIDObtained(model.obtainProducerID())
        case .refreshMetadata: preconditionFailure("not answered")
        }
    }

    private static func failure(of request: ProducerRequest) -> ProducerAnswer {
        switch request {
        case .produce(let batch, _): .produced(batch.id, batch.partition, .unanswered(reason: "lost"))
        case .inspect(let request): .inspected(request.partition, number: request.number, .failed(reason: "lost"))
        case .scan(let request, _): .scanned(request.partition, number: request.number, .failed(reason: "lost"))
        case .obtainProducerID: .producerIDFailed(reason: "lost")
        case .refreshMetadata: preconditionFailure("not answered")
        }
    }
}
