import Base
import NIOCore

/// What carries the producer's requests to a cluster. Every request is answered exactly once, later (never from within `begin`), on
/// whatever thread; batches of one partition leave in the order in which they were begun, and after one that got lost none leaves before
/// the partition is inspected or its metadata refreshed.
public protocol ProducerTransport: AnyObject {
    func begin(_ request: ProducerRequest)
}

public enum ProducerRequest: Sendable {
    case produce(SealedBatch, ByteBuffer)
    case inspect(InspectRequest)
    /// With what each candidate is known by, as far as it is still held.
    case scan(ScanRequest, fingerprints: [BatchID: BatchFingerprint])
    case obtainProducerID
    /// Not answered.
    case refreshMetadata(TopicPartition)
}
