import Base
import KafkaWire
import NIOCore
import Testing

/// What holds beside the layouts.
@Suite struct RulesTests {
    private func code(_ body: () throws -> Void) -> WireError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? WireError)?.code
        }
    }

    // MARK: Fields that a version lacks

    @Test func aFieldThatTheVersionLacksMustHoldItsDefault() {
        let request = MetadataRequest(allowAutoTopicCreation: false)
        #expect(code { _ = try request.encoded(version: 3) } == .unsupportedField)
        #expect(code { _ = try request.encoded(version: 4) } == nil)
        let fetch = FetchRequest(replicaState: .init(replicaId: 3))
        #expect(code { _ = try fetch.encoded(version: 14) } == .unsupportedField)
        #expect(code { _ = try fetch.encoded(version: 15) } == nil)
    }

    @Test func anIgnorableFieldIsDropped() throws {
        let response = MetadataResponse(throttleTimeMs: 5, clusterId: "here")
        let read = try MetadataResponse.decoded(response.encoded(version: 1), version: 1)
        #expect(read.throttleTimeMs == 0)
        #expect(read.clusterId == nil)
    }

    @Test func nullIsAnErrorWhereTheVersionDoesNotAllowIt() {
        let all = MetadataRequest(topics: nil)
        #expect(code { _ = try all.encoded(version: 0) } == .unexpectedNull)
        #expect(code { _ = try all.encoded(version: 1) } == nil)
        let byID = MetadataRequest(topics: [.init(topicId: .zero, name: nil)])
        #expect(code { _ = try byID.encoded(version: 9) } == .unexpectedNull)
        #expect(code { _ = try MetadataRequest.decoded(ByteBuffer(integer: Int32(-1)), version: 0) } == .unexpectedNull)
    }

    @Test func stringsHaveAtMost32767Bytes() {
        let long = String(repeating: "x", count: 32_768)
        for version in SaslHandshakeRequest.versions {
            #expect(code { _ = try SaslHandshakeRequest(mechanism: long).encoded(version: version) } == .tooLong)
        }
        #expect(code { _ = try FindCoordinatorRequest(key: String(long.dropLast())).encoded(version: 3) } == nil)
    }

    // MARK: Tagged fields

    @Test(arguments: [0, 1, 2, 9, 900, 2000])
    func taggedFieldsOfAnyLength(count: Int) throws {
        let endpoints = (0..<count).map { ProduceResponse.NodeEndpoint(nodeId: Int32($0), host: "broker", port: 9092) }
        let response = ProduceResponse(throttleTimeMs: 9, nodeEndpoints: endpoints)
        #expect(try ProduceResponse.decoded(response.encoded(version: 10), version: 10) == response)
    }

    // MARK: External records

    @Test func externalRecordsAreSplicedIn() throws {
        func response(_ first: WireRecords?, _ second: WireRecords?) -> FetchResponse {
            FetchResponse(responses: [
                .init(partitions: [
                    .init(partitionIndex: 0, records: first), .init(partitionIndex: 1, records: nil),
                    .init(partitionIndex: 2, records: second),
                ])
            ])
        }
        let contents = [ByteBuffer(repeating: 1, count: 300), ByteBuffer(repeating: 2, count: 5)]
        for version in FetchResponse.versions {
            let whole = try response(.bytes(contents[0]), .bytes(contents[1])).encoded(version: version)
            var writer = WireWriter()
            writer.write(77 as Int32)
            try response(.external(byteCount: 300, tag: 0), .external(byteCount: 5, tag: 1))
                .encode(into: &writer, version: version)
            #expect(writer.byteCount == 4 + whole.readableBytes)
            var spliced = ByteBuffer()
            var position = 0
            for external in writer.externals {
                spliced.writeImmutableBuffer(
                    try #require(writer.buffer.getSlice(at: position, length: external.position - position)))
                spliced.writeImmutableBuffer(contents[external.tag])
                position = external.position
            }
            spliced.writeImmutableBuffer(
                try #require(writer.buffer.getSlice(at: position, length: writer.buffer.writerIndex - position)))
            #expect(spliced.readInteger(as: Int32.self) == 77)
            #expect(spliced == whole)
        }
    }

    @Test func largeFieldsAreSentFromWhereTheyLie() throws {
        let records = (1...3).map { ByteBuffer(repeating: UInt8($0), count: $0 * 100) }
        let request = ProduceRequest(
            acks: -1,
            topicData: [
                .init(name: "t", partitionData: records.enumerated().map { .init(index: Int32($0), records: $1) })
            ])
        for version in ProduceRequest.versions {
            let whole = try request.encoded(version: version)
            var writer = WireWriter(capacity: 16, splicedBytesMin: 200)
            try request.encode(into: &writer, version: version)
            #expect(writer.byteCount == whole.readableBytes)
            #expect(writer.spliced.map(\.bytes) == Array(records[1...]))
            var joined = ByteBuffer()
            for piece in writer.pieces { joined.writeImmutableBuffer(piece) }
            #expect(joined == whole)
        }
    }

    @Test func recordsAreSlicesOfWhatCame() throws {
        let records = ByteBuffer(repeating: 9, count: 4096)
        let request = ProduceRequest(
            acks: -1, topicData: [.init(name: "t", partitionData: [.init(index: 0, records: records)])])
        let bytes = try request.encoded(version: 9)
        let read = try ProduceRequest.decoded(bytes, version: 9)
        let slice = try #require(read.topicData[0].partitionData[0].records)
        let inside = bytes.withUnsafeReadableBytes { whole in
            slice.withUnsafeReadableBytes { part in
                guard let base = whole.baseAddress, let start = part.baseAddress else { return false }
                return start >= base && start < base + whole.count
            }
        }
        #expect(inside)
    }

    // MARK: Headers

    @Test func headerVersionsFollowTheApi() {
        #expect(ApiKey.produce.requestHeaderVersion(for: 8) == 1)
        #expect(ApiKey.produce.requestHeaderVersion(for: 9) == 2)
        #expect(ApiKey.produce.responseHeaderVersion(for: 9) == 1)
        #expect(ApiKey.saslHandshake.requestHeaderVersion(for: 1) == 1)
        #expect(ApiKey.apiVersions.requestHeaderVersion(for: 3) == 2)
        for version in ApiVersionsResponse.versions {
            #expect(ApiKey.apiVersions.responseHeaderVersion(for: version) == 0)
        }
    }

    @Test func requestHeadersSayTheirOwnVersion() throws {
        for (api, version) in [(ApiKey.produce, 3), (.produce, 9), (.apiVersions, 99), (.saslHandshake, 1)] {
            for client in ["kcat", nil] {
                let header = RequestHeader(apiKey: api, version: Int16(version), correlationID: -5, clientID: client)
                var writer = WireWriter()
                try header.encode(into: &writer)
                var reader = WireReader(writer.buffer)
                #expect(try RequestHeader.read(from: &reader) == header)
                #expect(reader.isAtEnd)
            }
        }
        var reader = WireReader(ByteBuffer(bytes: [0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]))
        #expect(code { _ = try RequestHeader.read(from: &reader) } == .unknownApi)
    }

    @Test func everyMessageAgreesWithItsApi() {
        func check<Content: WireRequest>(_: Content.Type) {
            let api = Content.apiKey
            #expect(Content.Response.apiKey == api)
            #expect(Content.versions == Content.Response.versions)
            for version in Content.versions {
                #expect(Content.isFlexible(version) == api.isFlexible(version), "\(Content.messageName) v\(version)")
                #expect(Content.Response.isFlexible(version) == api.isFlexible(version))
            }
            // Produce is advertised from 0 for old clients' sake; 0 to 2 are refused.
            let advertised = ApiVersionTable.versions(of: api)
            #expect(Content.versions.contains(advertised.upperBound), "\(Content.messageName)")
            #expect(api == .produce || Content.versions.contains(advertised.lowerBound), "\(Content.messageName)")
        }
        for type in allMessages {
            if let request = type as? any WireRequest.Type { check(request) }
        }
    }

    // MARK: Errors

    @Test func errorCodesHaveNames() {
        #expect(ErrorCode.unknownTopicOrPartition.rawValue == 3)
        #expect(ErrorCode.unknownTopicOrPartition.description == "UNKNOWN_TOPIC_OR_PARTITION")
        #expect(ErrorCode.unknownServerError.rawValue == -1)
        #expect(ErrorCode(rawValue: 999).description == "error 999")
        #expect(ErrorCode.notLeaderOrFollower.isRetriable)
        #expect(!ErrorCode.none.isRetriable && !ErrorCode.none.isError)
        #expect(ErrorCode.all.count == 135)
        #expect(Set(ErrorCode.all.map(\.description)).count == 135)
    }

    // MARK: Embedded bytes

    @Test(arguments: ConsumerSubscription.versions)
    func consumerProtocolBeginsWithItsVersion(version: Int16) throws {
        let subscription = ConsumerSubscription(topics: ["a", "b"], userData: ByteBuffer(string: "x"))
        var bytes = try subscription.encode(version: version)
        #expect(bytes.getInteger(at: 0, as: Int16.self) == version)
        #expect(try ConsumerSubscription.decode(bytes) == subscription)
        // A later version than we know is read as the last one we do.
        bytes.setInteger(9 as Int16, at: 0)
        #expect((try? ConsumerSubscription.decode(bytes) == subscription) ?? false || version != 3)
        let assignment = ConsumerAssignment(assignedPartitions: [.init(topic: "a", partitions: [0, 2])])
        #expect(try ConsumerAssignment.decode(assignment.encode(version: version)) == assignment)
    }

    @Test func coordinatorKeysSayTheirType() throws {
        let key = OffsetCommitKey(group: "g", topic: "t", partition: 4)
        var bytes = try key.encodeRecord()
        #expect(bytes.getInteger(at: 0, as: Int16.self) == 1)
        #expect(try GroupRecordKey.decode(bytes) == .offsetCommit(key))
        let group = GroupMetadataKey(group: "g")
        #expect(try GroupRecordKey.decode(group.encodeRecord()) == .groupMetadata(group))
        bytes.setInteger(77 as Int16, at: 0)
        #expect(try GroupRecordKey.decode(bytes) == .unknown(type: 77))
        let value = OffsetCommitValue(offset: 5, metadata: "m", commitTimestamp: 7)
        #expect(try OffsetCommitValue.decodeRecord(value.encodeRecord(version: 3)) == value)
    }
}
