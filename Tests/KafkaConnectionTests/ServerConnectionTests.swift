import Base
import KafkaWire
import NIOCore
import NIOEmbedded
import Synchronization
import TestKit
import Testing

@testable import KafkaConnection

/// One server connection on an embedded channel.
private struct Server {
    let channel = EmbeddedChannel()
    let dispatcher: RecordingDispatcher
    let reads = ReadCounter()

    init(
        settings: ServerSettings = ServerSettings(versions: testVersions()),
        answer: @escaping @Sendable (ReceivedRequest) -> Void = { _ in }
    ) throws {
        dispatcher = RecordingDispatcher(answer: answer)
        try channel.pipeline.syncOperations.addHandler(reads)
        try channel.pipeline.syncOperations.addHandler(
            ServerConnection(channel: channel, settings: settings, dispatcher: dispatcher))
        try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 5000)).wait()
    }

    func receive(_ buffer: ByteBuffer) throws { try channel.writeInbound(buffer) }

    /// Everything that was sent, in one buffer.
    func sent() throws -> ByteBuffer {
        var all = ByteBuffer()
        while let data = try channel.readOutbound(as: IOData.self) {
            guard case .byteBuffer(var buffer) = data else { continue }
            all.writeBuffer(&buffer)
        }
        return all
    }

    /// The answers to heartbeats that were sent: correlation id and throttle time.
    func sentHeartbeats(version: Int16 = 4) throws -> [(correlationID: Int32, throttle: Int32)] {
        var all = try sent()
        var answers: [(Int32, Int32)] = []
        while let length = all.readInteger(as: Int32.self) {
            let body = all.readSlice(length: Int(length))
            var reader = WireReader(try #require(body))
            let header = try ResponseHeader(
                from: &reader, version: ApiKey.heartbeat.responseHeaderVersion(for: version))
            let response = try HeartbeatResponse(from: &reader, version: version)
            #expect(reader.isAtEnd)
            answers.append((header.correlationId, response.throttleTimeMs))
        }
        return answers
    }
}

/// Counts the reads that get past the connection to the channel.
private final class ReadCounter: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = IOData
    private let counter = Mutex(0)
    var count: Int { counter.withLock { $0 } }

    func read(context: ChannelHandlerContext) {
        counter.withLock { $0 += 1 }
        context.read()
    }
}

@Suite struct ServerConnectionTests {
    @Test(arguments: HeartbeatRequest.versions) func answersARequestSplitAtEveryByte(version: Int16) throws {
        let bytes = try frame(heartbeat(group: "abc"), version: version, correlationID: 77)
        for cut in 0...bytes.readableBytes {
            let server = try Server(answer: answerHeartbeat)
            try server.receive(bytes.getSlice(at: 0, length: cut)!)
            try server.receive(bytes.getSlice(at: cut, length: bytes.readableBytes - cut)!)
            let request = try #require(server.dispatcher.seen.requests.first)
            #expect(request.clientID == "test" && request.version == version && request.correlationID == 77)
            let sent = try server.sent()
            #expect(sent.getInteger(at: 4, as: Int32.self) == 77)
            #expect(server.dispatcher.seen.closed.isEmpty)
        }
    }

    @Test func answersLeaveInRequestOrder() throws {
        let server = try Server()
        for number in 1...5 {
            let group = String(repeating: "g", count: number)
            try server.receive(try frame(heartbeat(group: group), version: 4, correlationID: Int32(number)))
        }
        let requests = server.dispatcher.seen.requests
        #expect(requests.count == 5)
        for place in [3, 1, 4] { answerHeartbeat(requests[place]) }
        #expect(try server.sent().readableBytes == 0)
        answerHeartbeat(requests[0])
        #expect(try server.sentHeartbeats().map(\.correlationID) == [1, 2])
        answerHeartbeat(requests[2])
        let rest = try server.sentHeartbeats()
        #expect(rest.map(\.correlationID) == [3, 4, 5])
        #expect(rest.map(\.throttle) == [3, 4, 5])
    }

    @Test func aRequestWithoutAnswerHoldsNothingUp() throws {
        let server = try Server()
        var produce = ProduceRequest()
        produce.acks = 0
        try server.receive(try frame(produce, version: 9, correlationID: 1))
        try server.receive(try frame(heartbeat(group: "x"), version: 4, correlationID: 2))
        let requests = server.dispatcher.seen.requests
        answerHeartbeat(requests[1])
        #expect(try server.sent().readableBytes == 0)
        requests[0].finishWithoutResponse()
        #expect(try server.sentHeartbeats().map(\.correlationID) == [2])
    }

    @Test func aFullConnectionIsNotReadUntilItHasAnswered() throws {
        var settings = ServerSettings(versions: testVersions())
        settings.requestsInFlightMax = 3
        let server = try Server(settings: settings)
        var all = ByteBuffer()
        for number in 1...8 {
            var bytes = try frame(heartbeat(group: "g"), version: 4, correlationID: Int32(number))
            all.writeBuffer(&bytes)
        }
        try server.receive(all)
        #expect(server.dispatcher.seen.requests.count == 3)
        let before = server.reads.count
        server.channel.read()
        #expect(server.reads.count == before)
        // One answer lets one more in; the socket is still not read, for requests wait that have been received.
        answerHeartbeat(server.dispatcher.seen.requests[0])
        #expect(server.dispatcher.seen.requests.count == 4)
        #expect(server.reads.count == before)
        for place in 1...7 { answerHeartbeat(server.dispatcher.seen.requests[place]) }
        #expect(server.dispatcher.seen.requests.count == 8)
        #expect(server.reads.count == before + 1)
        #expect(try server.sentHeartbeats().map(\.correlationID) == Array(1...8))
    }

    @Test func requestBytesInFlightAreLimited() throws {
        var settings = ServerSettings(versions: testVersions())
        settings.requestBytesInFlightMax = .bytes(100)
        let server = try Server(settings: settings)
        for number in 1...3 {
            let group = String(repeating: "g", count: 150)
            try server.receive(try frame(heartbeat(group: group), version: 4, correlationID: Int32(number)))
        }
        // A request above the limit comes alone.
        #expect(server.dispatcher.seen.requests.count == 1)
        answerHeartbeat(server.dispatcher.seen.requests[0])
        #expect(server.dispatcher.seen.requests.count == 2)
    }

    @Test func aPeerThatTakesNoAnswersIsNotRead() throws {
        let server = try Server(answer: answerHeartbeat)
        server.channel.isWritable = false
        server.channel.pipeline.fireChannelWritabilityChanged()
        try server.receive(try frame(heartbeat(group: "g"), version: 4, correlationID: 1))
        let before = server.reads.count
        server.channel.read()
        #expect(server.dispatcher.seen.requests.isEmpty)
        #expect(server.reads.count == before)
        server.channel.isWritable = true
        server.channel.pipeline.fireChannelWritabilityChanged()
        #expect(server.dispatcher.seen.requests.count == 1)
        #expect(server.reads.count == before + 1)
    }

    @Test func aFalseLengthClosesWithItsReason() throws {
        let server = try Server()
        try server.receive(ByteBuffer(integer: Int32(200 << 20)))
        #expect(server.channel.isActive == false)
        guard case .refused(let text)? = server.dispatcher.seen.closed.first else {
            Issue.record("closed: \(server.dispatcher.seen.closed)")
            return
        }
        #expect(text.contains("209715200") && text.contains("socket.request.max.bytes"))
        #expect(server.dispatcher.seen.closed.count == 1)
    }

    @Test func anUnknownApiClosesAfterEarlierAnswers() throws {
        let server = try Server(answer: answerHeartbeat)
        var bytes = try frame(heartbeat(group: "g"), version: 4, correlationID: 1)
        bytes.writeMultipleIntegers(Int32(10), Int16(999), Int16(0), Int32(2), Int16(-1))
        try server.receive(bytes)
        #expect(try server.sentHeartbeats().map(\.correlationID) == [1])
        #expect(server.dispatcher.seen.closed == [.refused("a request for API key 999, which is not served")])
    }

    @Test func anUnsupportedVersionCloses() throws {
        let server = try Server()
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(Int32(10), ApiKey.produce.rawValue, Int16(2), Int32(2), Int16(-1))
        try server.receive(bytes)
        #expect(server.dispatcher.seen.closed.first?.isRefusal == true)
        #expect(server.dispatcher.seen.requests.isEmpty)
    }

    /// KIP-511: in v0, error 35, with what is served.
    @Test func anApiVersionsFromTheFutureIsToldWhatIsServed() throws {
        let server = try Server()
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(Int32(10), ApiKey.apiVersions.rawValue, Int16(99), Int32(5), Int16(-1))
        try server.receive(bytes)
        var sent = try server.sent()
        let length = sent.readInteger(as: Int32.self)
        #expect(sent.readableBytes == length.map(Int.init))
        #expect(sent.readInteger(as: Int32.self) == 5)
        let response = try ApiVersionsResponse.decoded(sent, version: 0)
        #expect(response.errorCode == .unsupportedVersion)
        #expect(response.apiKeys.contains { $0.apiKey == 18 && $0.minVersion == 0 && $0.maxVersion == 4 })
        #expect(response.apiKeys.contains { $0.apiKey == 0 && $0.minVersion == 0 })
        #expect(server.dispatcher.seen.closed.isEmpty)
    }

    @Test func aHeaderCutShortCloses() throws {
        for bytes in [
            [0, 0, 0, 3, 0, 12, 0], [0, 0, 0, 10, 0, 12, 0, 4, 0, 0, 0, 1, 0, 50],
            [0, 0, 0, 10, 0, 12, 0, 4, 0, 0, 0, 1, 255, 0],
        ] {
            let server = try Server()
            try server.receive(ByteBuffer(bytes: bytes.map { UInt8($0) }))
            #expect(server.dispatcher.seen.closed.first?.isRefusal == true)
        }
    }

    @Test func anIdleConnectionIsClosedAndABusyOneIsNot() throws {
        let server = try Server()
        try server.receive(try frame(heartbeat(group: "g"), version: 4, correlationID: 1))
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(1300))
        #expect(server.dispatcher.seen.closed.isEmpty)
        answerHeartbeat(server.dispatcher.seen.requests[0])
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(1300))
        #expect(server.dispatcher.seen.closed == [.idle])
    }

    @Test func answersAfterTheEndHaveNoEffect() throws {
        let server = try Server()
        try server.receive(try frame(heartbeat(group: "g"), version: 4, correlationID: 1))
        try server.channel.close().wait()
        #expect(server.dispatcher.seen.closed == [.peerClosed] || server.dispatcher.seen.closed == [.serverClosed])
        answerHeartbeat(server.dispatcher.seen.requests[0])
        #expect(server.dispatcher.seen.closed.count == 1)
    }

    @Test func filesAreSplicedIntoTheAnswer() throws {
        let file = BytesFile(Array("0123456789abcdefghij".utf8))
        let server = try Server { request in
            var response = FetchResponse()
            response.sessionId = 42
            var topic = FetchResponse.FetchableTopicResponse()
            topic.topic = "t"
            for (tag, slices) in [[3, 4], [5]].enumerated() {
                var partition = FetchResponse.PartitionData()
                partition.partitionIndex = Int32(tag)
                partition.records = .external(byteCount: slices.reduce(0, +), tag: tag)
                topic.partitions.append(partition)
            }
            response.responses = [topic]
            request.respond(
                response,
                files: [
                    [
                        FileSlice(file: file, position: 0, byteCount: 3),
                        FileSlice(file: file, position: 10, byteCount: 4),
                    ], [FileSlice(file: file, position: 5, byteCount: 5)],
                ])
        }
        try server.receive(try frame(FetchRequest(), version: 12, correlationID: 9))
        var sent = try server.sent()
        let length = sent.readInteger(as: Int32.self)
        #expect(length.map(Int.init) == sent.readableBytes)
        var reader = WireReader(sent)
        _ = try ResponseHeader(from: &reader, version: 1)
        let response = try FetchResponse(from: &reader, version: 12)
        #expect(reader.isAtEnd)
        let texts = response.responses[0].partitions.map { String(buffer: $0.records!.bytes!) }
        #expect(texts == ["012abcd", "56789"])
    }
}

/// A file in memory, without a descriptor.
private final class BytesFile: File {
    private let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var descriptor: CInt? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        let slice = bytes[Int(position)..<min(bytes.count, Int(position) + buffer.count)]
        buffer.copyBytes(from: slice)
        return slice.count
    }
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {}
    func sync() throws(FileError) {}
    func truncate(to size: Int64) throws(FileError) {}
    func allocate(_ size: Int64) throws(FileError) {}
    func status() throws(FileError) -> FileStatus {
        FileStatus(kind: .file, size: Int64(bytes.count), device: 0, inode: 0, modified: .none)
    }
    func close() {}
}
