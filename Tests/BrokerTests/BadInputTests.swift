import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import TestKit
import Testing

@testable import Broker

/// A peer that breaks the protocol loses its connection; everyone else goes on.
@Suite struct BadInputTests {
    static func frame(_ integers: [any FixedWidthInteger]) -> ByteBuffer {
        var buffer = ByteBuffer()
        func write(_ integer: some FixedWidthInteger) { buffer.writeInteger(integer) }
        for integer in integers { write(integer) }
        return buffer
    }

    @Test func badPeersLoseTheirConnectionAndNobodyElseDoes() async throws {
        try await TestBroker.with { broker in
            let bystander = try WireSocket(to: broker.address)
            try await bystander.createTopic("t")
            let bad: [(String, ByteBuffer)] = [
                ("negative length", Self.frame([Int32(-5)])),
                ("length beyond the limit", Self.frame([Int32.max])),
                ("HTTP", ByteBuffer(string: "GET / HTTP/1.1\r\nHost: broker\r\n\r\n")),
                ("TLS", ByteBuffer(bytes: [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])),
                ("unknown API", Self.frame([Int32(10), Int16(999), Int16(0), Int32(1), Int16(-1)])),
                ("negative API", Self.frame([Int32(10), Int16(-7), Int16(0), Int32(1), Int16(-1)])),
                (
                    "Produce 2, which is advertised yet not served",
                    Self.frame([Int32(10), Int16(0), Int16(2), Int32(1), Int16(-1)])
                ),
                ("version from the future", Self.frame([Int32(10), Int16(3), Int16(99), Int32(1), Int16(-1)])),
                ("header cut short", Self.frame([Int32(4), Int32(0)])),
                ("client id longer than the frame", Self.frame([Int32(10), Int16(3), Int16(1), Int32(1), Int16(500)])),
                // One topic whose name is said to have 30,000 bytes; two billion topics.
                (
                    "false length inside",
                    Self.frame([Int32(16), Int16(3), Int16(1), Int32(1), Int16(-1), Int32(1), Int16(30_000)])
                ),
                ("false count inside", Self.frame([Int32(14), Int16(3), Int16(1), Int32(1), Int16(-1), Int32.max])),
            ]
            for (name, bytes) in bad {
                let peer = try WireSocket(to: broker.address)
                await peer.send(bytes: bytes)
                #expect(await peer.isClosedByBroker(), "\(name)")
                #expect(try await bystander.metadata(["t"]).topics[0].errorCode == .none, "after: \(name)")
            }
            #expect(try await bystander.produce(try batch(["still here"]), to: "t").errorCode == .none)
        }
    }

    /// A batch is judged alone: neither its own connection nor another's suffers.
    @Test func aBatchWithAWrongSumIsRefusedAndEverybodyGoesOn() async throws {
        try await TestBroker.with { broker in
            let bystander = try WireSocket(to: broker.address)
            for durability in ["fsync", "page-cache"] {
                try await bystander.createTopic(durability, settings: ["millrace.durability": durability])
                let peer = try WireSocket(to: broker.address)
                var damaged = try batch(["a"])
                damaged.setInteger(UInt8(0xff), at: damaged.writerIndex - 1)
                let refused = try await peer.produce(damaged, to: durability)
                #expect(refused.errorCode == .corruptMessage)
                #expect(refused.errorMessage?.contains("CRC") == true)
                #expect(try await bystander.produce(try batch(["b"]), to: durability).baseOffset == 0)
                #expect(try await peer.produce(try batch(["c"]), to: durability).baseOffset == 1)
                #expect(try words(await bystander.fetch(durability, from: 0), first: 0) == ["b", "c"])
            }
        }
    }

    /// Client ids, topics and error messages are text from peers; what is not UTF-8 is repaired, and never ends anything.
    @Test func invalidUTF8InARequestIsAnswered() async throws {
        try await TestBroker.with { broker in
            let peer = try WireSocket(to: broker.address)
            // Metadata v1 of one topic, with bytes that no UTF-8 text has, in client id and name.
            var bytes = Self.frame([ApiKey.metadata.rawValue, Int16(1), Int32(9), Int16(2)])
            bytes.writeBytes([0xff, 0xfe])
            bytes.writeMultipleIntegers(Int32(1), Int16(3))
            bytes.writeBytes([0x61, 0xc3, 0x28])
            await peer.send(frame: bytes)
            let response = try await peer.receive(MetadataRequest.self, version: 1, correlationID: 9)
            #expect(response.topics.map(\.errorCode) == [.invalidTopicException])
            #expect(try await peer.metadata(nil).brokers.count == 1)
        }
    }

    /// Requests of every API with bytes changed at random: each is answered or closes its connection, and the broker lives.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func damagedRequestsNeverHurtTheBroker(seed: UInt64) async throws {
        try await TestBroker.with { broker in
            var random = SeededRandom(seed: seed)
            let bystander = try WireSocket(to: broker.address)
            try await bystander.createTopic("t")
            let frames = [
                try WireSocket.frame(Requests.produce(try batch(["a", "b", "c"]), to: "t"), version: 9),
                try WireSocket.frame(Requests.produce(try batch(["a"], codec: .gzip), to: "t"), version: 3),
                try WireSocket.frame(Requests.fetch("t", from: 0), version: 12),
                try WireSocket.frame(MetadataRequest(), version: 12),
                try WireSocket.frame(FindCoordinatorRequest(), version: 4),
                try WireSocket.frame(DescribeConfigsRequest(), version: 4),
                try WireSocket.frame(ListOffsetsRequest(), version: 6),
            ]
            for _ in 0..<60 {
                let peer = try WireSocket(to: broker.address)
                for _ in 0..<3 {
                    var frame = frames.randomElement(using: &random)!
                    for _ in 0...Int.random(in: 0...3, using: &random) {
                        let place = Int.random(in: 8..<frame.readableBytes, using: &random)
                        frame.setInteger(UInt8.random(in: 0...255, using: &random), at: place)
                    }
                    if random.oneIn(4) {
                        frame = frame.getSlice(at: 0, length: Int.random(in: 1...frame.readableBytes, using: &random))!
                    }
                    await peer.send(frame: frame)
                }
            }
            #expect(try await bystander.produce(try batch(["still here"]), to: "t").errorCode == .none)
            #expect(try await bystander.fetch("t", from: 0).errorCode == .none)
        }
    }

    @Test(arguments: [ConnectionLimit.all, .address]) func moreConnectionsThanAllowedAreTurnedAway(
        limit: ConnectionLimit
    ) async throws {
        let log = RecordedLog()
        let configure: (inout BrokerSettings) -> Void = { settings in
            if limit == .all {
                settings.limits.connectionsMax = 2
            } else {
                settings.limits.connectionsPerAddressMax = 2
            }
        }
        try await TestBroker.with(telemetry: log.telemetry, configure: configure) { broker in
            let first = try WireSocket(to: broker.address)
            let second = try WireSocket(to: broker.address)
            _ = try await first.metadata(nil)
            _ = try await second.metadata(nil)
            let third = try WireSocket(to: broker.address)
            #expect(await third.isClosedByBroker())
            #expect(try await first.metadata(nil).brokers.count == 1)
            let turnedAway = log.metrics.counter(
                "millrace_broker_connections_turned_away_total", [("listener", "main"), ("limit", limit.rawValue)])
            #expect(turnedAway.value == 1)
            for _ in 0..<5 { #expect(await (try WireSocket(to: broker.address)).isClosedByBroker()) }
            #expect(turnedAway.value == 6)
            #expect(log.lines.filter { $0.hasPrefix("warning: turned ") }.count == 1)
        }
    }

    /// A place is free again once its connection has ended.
    @Test func whoLeavesMakesRoom() async throws {
        try await TestBroker.with(configure: { $0.limits.connectionsPerAddressMax = 1 }) { broker in
            /// One that is served; until the last one's place is free it is turned away.
            func served() async throws -> WireSocket {
                while true {
                    let peer = try WireSocket(to: broker.address)
                    if (try? await peer.metadata(nil)) != nil { return peer }
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            var peer: WireSocket? = try await served()
            for _ in 0..<3 {
                // While it is there nobody else is served.
                let other = try WireSocket(to: broker.address)
                #expect(await other.isClosedByBroker())
                #expect(try await peer?.metadata(nil).brokers.count == 1)
                peer = nil
                peer = try await served()
            }
        }
    }

    @Test func refusalsAreSaidOnceInAWhile() {
        var log = RefusalLog()
        let start = Instant(nanoseconds: 5)
        #expect(log.refused(now: start) == 0)
        for second in 1..<10 { #expect(log.refused(now: start + .seconds(second)) == nil) }
        #expect(log.refused(now: start + .seconds(10)) == 9)
        #expect(log.refused(now: start + .seconds(30)) == 0)
    }
}
