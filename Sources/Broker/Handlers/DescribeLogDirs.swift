import KafkaConnection
import KafkaWire
import LogStorage
import SystemPackage

/// DescribeLogDirs (35), versions 1–4: each log directory, the bytes of each partition in it, and the room on its disk.
struct DescribeLogDirsHandler: ApiHandler {
    typealias Request = DescribeLogDirsRequest
    static let versions: ClosedRange<Int16> = 1...4

    let services: BrokerServices

    func handle(_ call: Call<DescribeLogDirsRequest>) {
        // The disk is asked for its room.
        if services.queryLane.submit({ call.answer(self.answer(call.request)) }) { return }
        var response = DescribeLogDirsResponse()
        response.errorCode = .requestTimedOut
        call.answer(response)
    }

    private func answer(_ request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
        var response = DescribeLogDirsResponse()
        response.results = services.logs.all.map { log in
            var directory = DescribeLogDirsResponse.DescribeLogDirsResult()
            directory.logDir = log.path.string
            if log.offlineReason != nil {
                directory.errorCode = .kafkaStorageError
                return directory
            }
            directory.topics = topics(request, in: log.path)
            if let space = try? services.fileSystem.space(at: log.path) {
                directory.totalBytes = space.total
                directory.usableBytes = space.free
            }
            return directory
        }
        return response
    }

    /// Without a list all topics are meant; what is named and not there is left out.
    private func topics(
        _ request: DescribeLogDirsRequest, in directory: FilePath
    ) -> [DescribeLogDirsResponse.DescribeLogDirsTopic] {
        let asked: [(topic: Topic, partitions: [Int32])] =
            request.topics.map { topics in
                topics.compactMap { asked in
                    services.topics.topic(named: asked.topic).map { ($0, asked.partitions) }
                }
            } ?? services.topics.topics.map { topic in (topic, topic.partitions.indices.map { Int32($0) }) }
        return asked.compactMap { topic, partitions in
            var described = DescribeLogDirsResponse.DescribeLogDirsTopic()
            described.name = topic.name
            described.partitions = partitions.compactMap { index in
                guard topic.partitions.indices.contains(Int(index)), let partition = topic.partitions[Int(index)],
                    partition.log.directory == directory
                else { return nil }
                var described = DescribeLogDirsResponse.DescribeLogDirsPartition()
                described.partitionIndex = index
                described.partitionSize = partition.log.byteCount
                return described
            }
            return described.partitions.isEmpty ? nil : described
        }
    }
}
