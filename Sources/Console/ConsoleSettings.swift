import Base
import KafkaConnection

/// Where the console is served, who may see it, and how much one browser can make it do.
public struct ConsoleSettings: Sendable {
    public var listen: Address
    /// The secret that every request must bring; nil is allowed on the loopback alone.
    public var token: String?
    public var limits = Limits()
    /// The topic that holds what agents and pipelines tell about themselves.
    public var statusTopic = "__millrace_status"
    /// What the nginx page reads.
    public var nginxTopic = "nginx.access"

    public init(listen: Address, token: String? = nil) {
        self.listen = listen
        self.token = token
    }

    /// Everything that a browser can drive stays within these.
    public struct Limits: Sendable {
        /// Open sockets; further ones are closed unanswered.
        public var connectionsMax = 64
        /// Open live tails; a further one gets 503.
        public var tailsMax = 8
        /// Searches at work; a further one gets 503.
        public var searchesMax = 2
        /// Rows of one answer.
        public var rowsMax = 500
        /// Records that one search reads.
        public var scannedRecordsMax = 500_000
        /// Bytes of batches that one search reads.
        public var scannedBytesMax = ByteCount.mib(128)
        /// How long one search goes on.
        public var searchTimeMax = Duration.seconds(8)
        /// A record's value and key in a list; the record's own page gives up to `recordBytesMax`.
        public var shownBytesMax = ByteCount.kib(2)
        public var recordBytesMax = ByteCount.mib(4)
        /// What a batch may decompress to.
        public var decompressedMax = ByteCount.mib(64)
        /// Rows that a tail sends in a second; the others are counted as left out.
        public var tailRowsPerSecond = 100
        public var tailTimeMax = Duration.seconds(3_600)
        /// Of the request line's target.
        public var targetBytesMax = 8_192

        public init() {}
    }

    public static let tokenBytesMin = 16

    /// What is wrong with the settings, and what to do; nil where nothing is.
    public var contradiction: String? {
        if let token, token.utf8.count < Self.tokenBytesMin {
            return "the console's token has \(token.utf8.count) bytes; \(Self.tokenBytesMin) are wanted at least "
                + "(openssl rand -hex 16)"
        }
        if token == nil, !listen.isLoopback {
            return
                "\(listen) is not on the loopback: give the console a token with --console-token-file or MILLRACE_CONSOLE_TOKEN"
        }
        return nil
    }
}

extension Address {
    /// Whether only this machine can reach it. Names other than `localhost` count as reachable.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
