import Base

/// Where a cluster's metadata lives: a file of one broker today; an ensemble that several brokers share fits the same shape.
public protocol MetadataStore: Sendable {
    /// The state that was stored last; makes a first one, with a new cluster id, where there is none.
    func load() async throws(MetadataStoreError) -> LoadedMetadata

    /// Applies the change and returns the new state once it is durable. Changes happen one after another.
    func apply(_ change: MetadataChange) async throws(MetadataStoreError) -> ClusterMetadata
}

public struct LoadedMetadata: Sendable, Equatable {
    public enum Origin: Sendable, Equatable {
        /// Read as it was written.
        case stored
        /// There was none: this data folder is new.
        case created
        /// What was stored could not be read and was set aside; topics have to be found again from their folders.
        case rebuilt(reason: String)
    }

    public var metadata: ClusterMetadata
    public var origin: Origin
}

public struct MetadataStoreError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The change does not fit; nothing was stored.
        case conflict(MetadataConflict)
        /// The store can't be written. It stays closed until the broker starts again, for whether the change stands is unknown.
        case unavailable
        /// The data folder belongs to somebody else.
        case wrongIdentity
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
