import Base
import KafkaConnection
import KafkaWire
import NIOCore
import Records

@testable import KafkaClient

extension FakeBroker {
    func answer(_ request: ReceivedRequest, injected: ErrorCode?) throws {
        switch request.apiKey {
        case .apiVersions:
            var response = ApiVersionsResponse()
            response.apiKeys = Self.versions.advertised.map { range in
                var api = ApiVersionsResponse.ApiVersion()
                api.apiKey = range.apiKey.rawValue
                api.minVersion = range.versions.lowerBound
                api.maxVersion = range.versions.upperBound
                return api
            }
            request.respond(response)
        case .metadata: try metadata(request)
        case .createTopics: try createTopics(request)
        case .deleteTopics: try deleteTopics(request)
        case .produce: try produce(request, injected)
        case .fetch: try fetch(request, injected)
        case .listOffsets: try listOffsets(request, injected)
        case .initProducerId:
            var response = InitProducerIdResponse()
            response.errorCode = injected ?? .none
            response.producerId = state.withLock { state in
                state.nextProducerID += 1
                return state.nextProducerID
            }
            request.respond(response)
        default: try answerGroup(request, injected: injected)
        }
    }

    private func metadata(_ request: ReceivedRequest) throws {
        let asked = try request.decode(MetadataRequest.self)
        let response = state.withLock { state in
            var response = MetadataResponse()
            response.clusterId = "fake"
            response.controllerId = 1
            var broker = MetadataResponse.MetadataResponseBroker()
            broker.nodeId = 1
            broker.host = state.address.host
            broker.port = Int32(state.address.port)
            response.brokers = [broker]
            for name in asked.topics.map({ $0.compactMap(\.name) }) ?? state.topics.keys.sorted() {
                var wire = MetadataResponse.MetadataResponseTopic()
                wire.name = name
                if let topic = state.topics[name] {
                    wire.topicId = topic.id
                    wire.partitions = topic.partitions.indices.map { index in
                        var partition = MetadataResponse.MetadataResponsePartition()
                        partition.partitionIndex = Int32(index)
                        partition.leaderId = 1
                        partition.leaderEpoch = 0
                        return partition
                    }
                } else {
                    wire.errorCode = .unknownTopicOrPartition
                }
                response.topics.append(wire)
            }
            return response
        }
        request.respond(response)
    }

    private func createTopics(_ request: ReceivedRequest) throws {
        let asked = try request.decode(CreateTopicsRequest.self)
        var response = CreateTopicsResponse()
        for topic in asked.topics {
            var result = CreateTopicsResponse.CreatableTopicResult()
            result.name = topic.name
            if state.withLock({ $0.topics[topic.name] != nil }) {
                result.errorCode = .topicAlreadyExists
                result.errorMessage = "it is there"
            } else {
                createTopic(topic.name, partitions: Int(max(topic.numPartitions, 1)))
            }
            response.topics.append(result)
        }
        request.respond(response)
    }

    private func deleteTopics(_ request: ReceivedRequest) throws {
        let asked = try request.decode(DeleteTopicsRequest.self)
        var response = DeleteTopicsResponse()
        for name in asked.topics.compactMap(\.name) + asked.topicNames {
            var result = DeleteTopicsResponse.DeletableTopicResult()
            result.name = name
            if state.withLock({ $0.topics.removeValue(forKey: name) }) == nil {
                result.errorCode = .unknownTopicOrPartition
            }
            response.responses.append(result)
        }
        request.respond(response)
    }

    private func produce(_ request: ReceivedRequest, _ injected: ErrorCode?) throws {
        let asked = try request.decode(ProduceRequest.self)
        let response = state.withLock { state in
            var response = ProduceResponse()
            for topic in asked.topicData {
                let name = topic.name.isEmpty ? state.name(of: topic.topicId) ?? "" : topic.name
                var wire = ProduceResponse.TopicProduceResponse()
                wire.name = topic.name
                wire.topicId = topic.topicId
                for data in topic.partitionData {
                    var answer = ProduceResponse.PartitionProduceResponse()
                    answer.index = data.index
                    answer.errorCode = injected ?? .none
                    let partition = TopicPartition(topic: name, partition: data.index)
                    if injected == nil, let records = data.records {
                        answer.baseOffset = state.topics[name]!.partitions[Int(data.index)].end.rawValue
                        state.append(records, to: partition)
                    }
                    wire.partitionResponses.append(answer)
                }
                response.responses.append(wire)
            }
            return response
        }
        if asked.acks == 0 { request.finishWithoutResponse() } else { request.respond(response) }
    }

    private func fetch(_ request: ReceivedRequest, _ injected: ErrorCode?) throws {
        let asked = try request.decode(FetchRequest.self)
        let (response, byteCount) = read(asked, injected)
        if byteCount > 0 || injected != nil
            || response.responses.flatMap(\.partitions).contains(where: { $0.errorCode.isError })
        {
            return request.respond(response)
        }
        // A long poll, without being woken.
        request.connection.eventLoop.scheduleTask(in: .milliseconds(30)) {
            request.respond(self.read(asked, nil).response)
        }
    }

    private func read(_ asked: FetchRequest, _ injected: ErrorCode?) -> (response: FetchResponse, byteCount: Int) {
        state.withLock { state in
            var response = FetchResponse()
            var byteCount = 0
            for topic in asked.topics {
                let name = topic.topic.isEmpty ? state.name(of: topic.topicId) : topic.topic
                var wire = FetchResponse.FetchableTopicResponse()
                wire.topic = topic.topic
                wire.topicId = topic.topicId
                for ask in topic.partitions {
                    var data = FetchResponse.PartitionData()
                    data.partitionIndex = ask.partition
                    data.errorCode = injected ?? .none
                    if let name, let partition = state.topics[name]?.partitions[Int(ask.partition)] {
                        data.highWatermark = partition.end.rawValue
                        data.lastStableOffset = data.highWatermark
                        data.logStartOffset = partition.logStart.rawValue
                        let offset = Offset(ask.fetchOffset)
                        if offset < partition.logStart || offset > partition.end { data.errorCode = .offsetOutOfRange }
                        var bytes = ByteBuffer()
                        if data.errorCode == .none {
                            for batch in partition.batches where batch.lastOffset >= offset {
                                if bytes.readableBytes > 0,
                                    bytes.readableBytes + batch.byteCount > Int(ask.partitionMaxBytes)
                                {
                                    break
                                }
                                bytes.writeImmutableBuffer(batch.bytes)
                            }
                        }
                        byteCount += bytes.readableBytes
                        data.records = .bytes(bytes)
                    } else {
                        data.errorCode = name == nil ? .unknownTopicId : .unknownTopicOrPartition
                    }
                    wire.partitions.append(data)
                }
                response.responses.append(wire)
            }
            return (response, byteCount)
        }
    }

    private func listOffsets(_ request: ReceivedRequest, _ injected: ErrorCode?) throws {
        let asked = try request.decode(ListOffsetsRequest.self)
        let response = state.withLock { state in
            var response = ListOffsetsResponse()
            for topic in asked.topics {
                var wire = ListOffsetsResponse.ListOffsetsTopicResponse()
                wire.name = topic.name
                for ask in topic.partitions {
                    var answer = ListOffsetsResponse.ListOffsetsPartitionResponse()
                    answer.partitionIndex = ask.partitionIndex
                    answer.errorCode = injected ?? .none
                    if let partition = state.topics[topic.name]?.partitions[Int(ask.partitionIndex)] {
                        answer.offset = (ask.timestamp == -2 ? partition.logStart : partition.end).rawValue
                    }
                    wire.partitions.append(answer)
                }
                response.topics.append(wire)
            }
            return response
        }
        request.respond(response)
    }
}
