import Base
import KafkaConnection
import KafkaWire
import NIOCore
import NIOPosix
import Synchronization
import SystemPackage
import Testing

/// A listener on loopback, and what is needed to connect to it.
struct Loopback {
    let listener: ServerListener
    let dispatcher: RecordingDispatcher
    static let group = MultiThreadedEventLoopGroup.singleton

    init(
        settings: ServerSettings = ServerSettings(versions: testVersions()), versions: ServedVersions = testVersions(),
        answer: @escaping @Sendable (ReceivedRequest) -> Void
    ) async throws {
        dispatcher = RecordingDispatcher { request in
            if request.apiKey == .apiVersions {
                request.respond(apiVersionsResponse(versions))
            } else {
                answer(request)
            }
        }
        listener = try await ServerListener.bind(
            Address(host: "127.0.0.1", port: 0), on: Self.group, settings: settings, dispatcher: dispatcher)
    }

    func connect(_ settings: ConnectionSettings = ConnectionSettings()) async throws -> ClientConnection {
        try await ClientConnection.connect(to: listener.address, on: Self.group, settings: settings)
    }
}

func apiVersionsResponse(_ versions: ServedVersions) -> ApiVersionsResponse {
    var response = ApiVersionsResponse()
    response.apiKeys = versions.advertised.map { range in
        var api = ApiVersionsResponse.ApiVersion()
        api.apiKey = range.apiKey.rawValue
        api.minVersion = range.versions.lowerBound
        api.maxVersion = range.versions.upperBound
        return api
    }
    return response
}

@Suite(.timeLimit(.minutes(1))) struct ClientConnectionTests {
    @Test func negotiatesVersions() async throws {
        let server = try await Loopback(answer: answerHeartbeat)
        let connection = try await server.connect()
        #expect(connection.versions.served(.produce) == 0...13)
        #expect(try connection.versions.version(of: HeartbeatRequest.self) == 4)
        #expect(try connection.versions.version(of: ProduceRequest.self, versionMax: 12) == 12)
        #expect(throws: ClientError.self) { try connection.versions.version(of: CreateTopicsRequest.self) }
        #expect(throws: ClientError.self) { try connection.versions.version(of: ProduceRequest.self, versionMax: 2) }
        connection.close()
        await server.listener.close()
    }

    @Test func fallsBackToAnOldApiVersions() async throws {
        let old = testVersions(apiVersions: 0...2)
        let server = try await Loopback(settings: ServerSettings(versions: old), versions: old, answer: answerHeartbeat)
        let connection = try await server.connect()
        #expect(connection.versions.served(.apiVersions) == 0...2)
        #expect(try await connection.send(heartbeat(group: "abcd")).throttleTimeMs == 4)
        connection.close()
        await server.listener.close()
    }

    @Test func manyRequestsAreUnderWayAtOnce() async throws {
        // Answers are finished in another order than they were asked, from other threads.
        let server = try await Loopback { request in
            if request.correlationID % 3 == 0 {
                answerHeartbeat(request)
            } else {
                Task { answerHeartbeat(request) }
            }
        }
        let connection = try await server.connect()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for length in 1...400 {
                group.addTask {
                    let response = try await connection.send(heartbeat(group: String(repeating: "g", count: length)))
                    #expect(response.throttleTimeMs == Int32(length))
                }
            }
            try await group.waitForAll()
        }
        connection.close()
        await server.listener.close()
    }

    @Test func whatOneCallerEnqueuesKeepsItsOrder() async throws {
        let server = try await Loopback(answer: answerHeartbeat)
        let connection = try await server.connect()
        let count = 300
        let got = Mutex<[Int32]>([])
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            for length in 1...count {
                do {
                    try connection.enqueue(heartbeat(group: String(repeating: "g", count: length))) { result in
                        let isLast = got.withLock { got in
                            got.append((try? result.get().throttleTimeMs) ?? -1)
                            return got.count == count
                        }
                        if isLast { continuation.resume() }
                    }
                } catch { Issue.record(error) }
            }
        }
        #expect(got.withLock { $0 } == (1...count).map { Int32($0) })
        connection.close()
        await server.listener.close()
    }

    @Test func silenceEndsTheConnection() async throws {
        let server = try await Loopback { _ in }
        let connection = try await server.connect()
        async let late = result { try await connection.send(heartbeat(group: "a"), timeout: .milliseconds(80)) }
        async let behind = result { try await connection.send(heartbeat(group: "b"), timeout: .seconds(60)) }
        let codes = await Set([late, behind])
        #expect(codes == [.timedOut, .connectionClosed])
        #expect(!connection.isOpen)
        await server.listener.close()
    }

    @Test func theEndOfAConnectionFailsWhatWaits() async throws {
        let server = try await Loopback { request in
            if request.correlationID > 8 { request.close(.serverClosed) }
        }
        let connection = try await server.connect()
        let codes = await withTaskGroup(of: ClientError.Code?.self) { group in
            for _ in 0..<10 { group.addTask { await result { try await connection.send(heartbeat(group: "a")) } } }
            return await group.reduce(into: [ClientError.Code?]()) { $0.append($1) }
        }
        #expect(codes == Array(repeating: .connectionClosed, count: 10))
        #expect(await result { try await connection.send(heartbeat(group: "a")) } == .connectionClosed)
        await server.listener.close()
    }

    @Test func aCancelledCallerDoesNotDisturbTheOthers() async throws {
        let held = Mutex<[ReceivedRequest]>([])
        let server = try await Loopback { request in held.withLock { $0.append(request) } }
        let connection = try await server.connect()
        let cancelled = Task { await result { try await connection.send(heartbeat(group: "a")) } }
        while held.withLock({ $0.count }) < 1 { try await Task.sleep(for: .milliseconds(1)) }
        let other = Task { try await connection.send(heartbeat(group: "bb")).throttleTimeMs }
        while held.withLock({ $0.count }) < 2 { try await Task.sleep(for: .milliseconds(1)) }
        cancelled.cancel()
        #expect(await cancelled.value == .cancelled)
        for request in held.withLock({ $0 }) { answerHeartbeat(request) }
        #expect(try await other.value == 2)
        connection.close()
        await server.listener.close()
    }

    @Test func aProduceWithoutAnswerIsJustSent() async throws {
        let server = try await Loopback { request in
            if request.apiKey == .produce { request.finishWithoutResponse() } else { answerHeartbeat(request) }
        }
        let connection = try await server.connect()
        var produce = ProduceRequest()
        produce.acks = 0
        try connection.enqueueWithoutAnswer(produce)
        #expect(try await connection.send(heartbeat(group: "abc")).throttleTimeMs == 3)
        #expect(server.dispatcher.seen.requests.contains { $0.apiKey == .produce })
        connection.close()
        await server.listener.close()
    }

    @Test func aClosedPortIsAConnectError() async throws {
        let server = try await Loopback(answer: answerHeartbeat)
        let address = server.listener.address
        await server.listener.close()
        let code = await result { try await ClientConnection.connect(to: address, on: Loopback.group) }
        #expect(code == .connectFailed)
    }

    @Test func connectionsBeyondTheLimitAreTurnedAway() async throws {
        var settings = ServerSettings(versions: testVersions())
        settings.connectionsMax = 1
        let server = try await Loopback(settings: settings, answer: answerHeartbeat)
        let first = try await server.connect()
        #expect(await result { try await server.connect() } != nil)
        #expect(server.dispatcher.seen.refused == ["all 1"])
        #expect(try await first.send(heartbeat(group: "ab")).throttleTimeMs == 2)
        first.close()
        await server.listener.close()
        #expect(server.listener.connectionCount == 0)
    }

    /// A real file goes out by sendfile, between the response's own bytes.
    @Test func filesAreSentFromTheirDescriptors() async throws {
        let files = PosixFileSystem()
        let path = FilePath("/tmp/millrace-sendfile-\(UInt64.random(in: 0...UInt64.max))")
        defer { try? files.unlink(path) }
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let file = try files.open(path, .create)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        let server = try await Loopback { request in
            var response = FetchResponse()
            var topic = FetchResponse.FetchableTopicResponse()
            topic.topic = "t"
            var partition = FetchResponse.PartitionData()
            partition.records = .external(byteCount: 2_999_000, tag: 0)
            topic.partitions = [partition]
            response.responses = [topic]
            request.respond(response, files: [[FileSlice(file: file, position: 1000, byteCount: 2_999_000)]])
        }
        let connection = try await server.connect()
        for _ in 0..<3 {
            let response = try await connection.send(FetchRequest(), version: 12)
            let records = try #require(response.responses.first?.partitions.first?.records?.bytes)
            #expect(records.readableBytesView.elementsEqual(bytes[1000...]))
        }
        #expect(try file.status().size == 3_000_000)
        connection.close()
        await server.listener.close()
    }

    @Test func readsAddresses() {
        #expect(Address("kafka:9093") == Address(host: "kafka", port: 9093))
        #expect(Address("kafka") == Address(host: "kafka", port: 9092))
        #expect(Address("[::1]:9094") == Address(host: "::1", port: 9094))
        #expect(Address("[::1]")?.description == "[::1]:9092")
        #expect(Address("a:b") == nil && Address("") == nil && Address("a:70000") == nil && Address("[::1") == nil)
        #expect(Address.list("a:1, b:2")?.count == 2)
        #expect(Address.list("a:1,,b") == nil)
    }
}

/// The code of the error that the body throws; nil where it throws none.
func result<Value>(_ body: () async throws -> Value) async -> ClientError.Code? {
    do {
        _ = try await body()
        return nil
    } catch { return (error as? ClientError)?.code }
}
