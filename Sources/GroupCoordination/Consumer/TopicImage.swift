import Base

/// The topics of the cluster as groups see them at one moment.
public struct TopicImage: Sendable {
    public struct Topic: Sendable, Equatable {
        public var id: TopicID
        public var partitionCount: Int32
        /// A pattern never finds the broker's own topics; who names one gets it.
        public var isInternal: Bool

        public init(id: TopicID, partitionCount: Int32, isInternal: Bool = false) {
            self.id = id
            self.partitionCount = partitionCount
            self.isInternal = isInternal
        }
    }

    /// Another number for each change, so that a group need not look for one. Counts from 1; 0 is no image.
    public private(set) var version: UInt64 = 1
    public private(set) var topics: [String: Topic] = [:]
    private var names: [TopicID: String] = [:]

    public init() {}

    public subscript(name: String) -> Topic? {
        get { topics[name] }
        set {
            if let old = topics[name] { names[old.id] = nil }
            topics[name] = newValue
            if let newValue { names[newValue.id] = name }
            version += 1
        }
    }

    public func name(of id: TopicID) -> String? { names[id] }

    /// A number that tells whether the topics of these names changed (ids, partitions), the same after a restart: FNV-1a over them in order. 0 where none exists.
    func hash(of names: Set<String>) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        func mix(_ number: UInt64) { for shift in 0..<8 { mix(UInt8(truncatingIfNeeded: number >> (8 * shift))) } }
        var isEmpty = true
        for name in names.sorted() {
            guard let topic = topics[name] else { continue }
            isEmpty = false
            for byte in name.utf8 { mix(byte) }
            mix(topic.id.high)
            mix(topic.id.low)
            mix(UInt64(topic.partitionCount))
        }
        return isEmpty ? 0 : Int64(bitPattern: hash)
    }
}
