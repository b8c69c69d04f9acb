import KafkaConnection
import KafkaWire

/// The handlers that a broker has, by API key, and the versions that follow from them.
struct ApiTable: Sendable {
    typealias Entry = @Sendable (ReceivedRequest, _ advertised: Address) -> Void

    private var entries: [Entry?] = []
    private(set) var served: [ServedVersions.Range] = []

    mutating func add<Handler: ApiHandler>(_ handler: Handler) {
        let key = Int(Handler.Request.apiKey.rawValue)
        while entries.count <= key { entries.append(nil) }
        precondition(entries[key] == nil, "two handlers for \(Handler.Request.apiKey)")
        entries[key] = { received, advertised in
            do throws(WireError) {
                let request = try received.decode(Handler.Request.self)
                handler.handle(Call(request: request, received: received, advertised: advertised))
            } catch {
                received.close(
                    .refused("a \(received.apiKey) v\(received.version) request can't be read: \(error.message)"))
            }
        }
        served.append(ServedVersions.Range(apiKey: Handler.Request.apiKey, versions: Handler.versions))
    }

    func handle(_ received: ReceivedRequest, advertised: Address) {
        let key = Int(received.apiKey.rawValue)
        // The connection refuses what is not served, so a missing entry is a bug.
        entries[key]!(received, advertised)
    }

    /// Produce is said to begin at 0, though 0–2 are refused: librdkafka before 2.11.1 compresses only where it sees that (KIP-896).
    var versions: ServedVersions {
        let advertised = served.map { range in
            range.apiKey == .produce
                ? ServedVersions.Range(apiKey: .produce, versions: 0...range.versions.upperBound) : range
        }
        return ServedVersions(advertised: advertised, served: served)
    }
}
