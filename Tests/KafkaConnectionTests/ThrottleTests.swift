import Base
import KafkaWire
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import KafkaConnection

/// A broker's throttle time silences the connection that long (KIP-219).
@Suite(.timeLimit(.minutes(1))) struct ThrottleTests {
    private struct Client {
        let channel = EmbeddedChannel()
        let handler: ClientChannelHandler
        let outcomes = Outcomes()

        init(throttleMax: Duration = .seconds(60)) throws {
            var settings = ConnectionSettings()
            settings.throttleMax = throttleMax
            handler = ClientChannelHandler(
                channel: channel, address: Address(host: "127.0.0.1", port: 1), settings: settings)
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 5000)).wait()
        }

        func send(_ id: Int32, timeout: Duration = .seconds(100)) {
            let outcomes = outcomes
            handler.send(
                OutgoingRequest(
                    frame: [ByteBuffer(integer: id)], apiKey: .heartbeat, correlationID: id, timeout: timeout
                ) { result in
                    switch result {
                    case .success: outcomes.add("\(id) answered")
                    case .failure(let error): outcomes.add("\(id) \(error.code)")
                    }
                })
            channel.embeddedEventLoop.run()
        }

        /// The ids of what was sent since the last call.
        func sent() throws -> [Int32] {
            var ids: [Int32] = []
            while let data = try channel.readOutbound(as: IOData.self) {
                if case .byteBuffer(let buffer) = data { ids.append(buffer.getInteger(at: 0)!) }
            }
            return ids
        }

        func wait(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }
    }

    final class Outcomes: Sendable {
        private let all = Mutex<[String]>([])
        func add(_ text: String) { all.withLock { $0.append(text) } }
        var texts: [String] { all.withLock { $0 } }
    }

    @Test func nothingIsSentUntilItIsOver() throws {
        let client = try Client()
        client.send(1)
        #expect(try client.sent() == [1])
        client.handler.mute(for: .seconds(10))
        client.send(2)
        client.send(3)
        client.wait(9)
        #expect(try client.sent() == [])
        // A shorter one does not end a longer one; a longer one goes on.
        client.handler.mute(for: .milliseconds(1))
        client.handler.mute(for: .seconds(5))
        client.wait(4)
        #expect(try client.sent() == [])
        client.wait(1)
        #expect(try client.sent() == [2, 3])
        client.send(4)
        #expect(try client.sent() == [4])
    }

    /// Their time runs from when they are sent: the broker can't answer what it does not read.
    @Test func whatWaitsDoesNotTimeOut() throws {
        let client = try Client()
        client.handler.mute(for: .seconds(30))
        client.send(1, timeout: .seconds(1))
        client.wait(30)
        #expect(client.outcomes.texts == [] && client.channel.isActive)
        #expect(try client.sent() == [1])
        client.wait(1)
        #expect(client.outcomes.texts == ["1 timed out"])
    }

    @Test func aBrokerCannotSilenceForEver() throws {
        let client = try Client(throttleMax: .seconds(20))
        client.handler.mute(for: .seconds(1_000_000))
        client.send(1)
        client.wait(20)
        #expect(try client.sent() == [1])
    }

    @Test func whatWaitsCanBeCancelledAndEndsWithItsConnection() throws {
        let client = try Client()
        client.handler.mute(for: .seconds(10))
        client.send(1)
        client.send(2)
        client.handler.cancel(correlationID: 1)
        client.channel.embeddedEventLoop.run()
        #expect(client.outcomes.texts == ["1 cancelled"])
        client.handler.close(ClientError(.connectionClosed, "closed"))
        #expect(client.outcomes.texts == ["1 cancelled", "2 connection closed"])
        client.wait(10)
        #expect(try client.sent() == [])
    }

    /// Whatever is asked, by whichever call: the answer's throttle time counts.
    @Test func answersSilenceTheirConnection() async throws {
        let server = try await Loopback(answer: answerHeartbeat)
        for waits in [true, false] {
            let told = Outcomes()
            let connection = try await ClientConnection.connect(to: server.listener.address, on: Loopback.group) {
                told.add("\($0)")
            }
            let before = server.dispatcher.seen.requests.count
            // The fake broker's throttle time is the length of the group's name.
            let long = heartbeat(group: String(repeating: "g", count: 30_000))
            if waits {
                #expect(try await connection.send(long).throttleTimeMs == 30_000)
            } else {
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    do { try connection.enqueue(long) { _ in continuation.resume() } } catch { Issue.record(error) }
                }
            }
            #expect(told.texts == ["30.0 seconds"])
            async let second = result { try await connection.send(heartbeat(group: "second")) }
            // Others are served; this one waits unsent, and fails with its connection.
            let other = try await server.connect()
            for _ in 0..<20 { _ = try await other.send(heartbeat(group: "")) }
            other.close()
            connection.close()
            #expect(await second == .connectionClosed)
            let groups = server.dispatcher.seen.requests[before...].compactMap {
                try? $0.decode(HeartbeatRequest.self).groupId
            }
            #expect(!groups.contains("second"))
        }
        await server.listener.close()
    }
}
