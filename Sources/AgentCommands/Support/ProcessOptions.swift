import ArgumentParser
import Base
import Logging
import Settings
import SystemPackage
import Telemetry

#if canImport(Glibc)
    import Glibc
#endif

/// The options that every long-running command has.
public struct ProcessOptions: ParsableArguments {
    @Option(help: "How much to say: trace, debug, info, warning or error.")
    public var logLevel: String = "info"

    @Option(
        help: ArgumentHelp(
            "Where /metrics, /healthz and /readyz are served; 'off' for nowhere.", valueName: "host:port"))
    public var admin: String?

    public init() {}

    public func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("'\(logLevel)' is no log level: trace, debug, info, warning or error")
        }
    }

    /// A logger to standard error, and a registry that holds the version alone.
    public func telemetry(_ label: String) -> Telemetry {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        let telemetry = Telemetry(logger: logger)
        telemetry.metrics.gauge(ProcessMetrics.build, Build.version).set(1)
        return telemetry
    }
}

/// The environment as a dictionary, for `${env:NAME}`.
public func processEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        let pair = String(cString: text)
        if let equals = pair.firstIndex(of: "=") {
            variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        entry += 1
    }
    return variables
}

/// Reads a configuration file with the process's environment.
public func loadSettings(_ path: String) throws(SettingsError) -> YAMLNode {
    try SettingsFile.load(FilePath(path), fileSystem: PosixFileSystem(), environment: processEnvironment())
}

/// This host's name, the first part of every source key.
public func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

public enum Build {
    public static let version = "0.1.0"
}
