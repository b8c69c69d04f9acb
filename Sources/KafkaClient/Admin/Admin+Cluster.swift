import Base
import KafkaConnection
import KafkaWire

extension Admin {
    /// What each partition takes on the disk of its leader (of any replica where the leader does not say).
    public func partitionSizes() async throws(ClientError) -> [TopicPartition: ByteCount] {
        let view = cluster.view.brokers.isEmpty ? try await describeCluster() : cluster.view
        var sizes: [TopicPartition: ByteCount] = [:]
        for broker in view.brokers.keys.sorted() {
            var request = DescribeLogDirsRequest()
            request.topics = nil
            let response = try await cluster.send(request, to: .broker(broker))
            if let error = ClientError(response.errorCode, "log directories of broker \(broker)") { throw error }
            for result in response.results where result.errorCode == .none {
                for topic in result.topics {
                    for entry in topic.partitions where !entry.isFutureKey {
                        let partition = TopicPartition(topic: topic.name, partition: entry.partitionIndex)
                        let isLeader = view.partition(partition)?.leader == broker
                        guard isLeader || sizes[partition] == nil else { continue }
                        sizes[partition] = ByteCount(Int(clamping: entry.partitionSize))
                    }
                }
            }
        }
        return sizes
    }

    /// Some settings of many topics in one question. Topics that the broker says nothing about are left out.
    public func describeConfigs(
        topics: [String], names: [String]
    ) async throws(ClientError) -> [String: [ConfigEntry]] {
        var request = DescribeConfigsRequest()
        request.resources = topics.map { topic in
            var resource = DescribeConfigsRequest.DescribeConfigsResource()
            resource.resourceType = 2
            resource.resourceName = topic
            resource.configurationKeys = names
            return resource
        }
        let response = try await cluster.send(request, to: .any)
        var settings: [String: [ConfigEntry]] = [:]
        for result in response.results where result.errorCode == .none {
            settings[result.resourceName] = result.configs.map {
                ConfigEntry(
                    name: $0.name, value: $0.value, isReadOnly: $0.readOnly, isDefault: $0.configSource >= 5)
            }
        }
        return settings
    }
}
