import ArgumentParser
import KafkaConnection
import Settings

/// Exit codes that a script or a unit file can rely on (sysexits.h).
public enum ExitCodes {
    /// The command line is wrong.
    public static let usage = ExitCode(64)
    /// A service that the command needs can't be reached.
    public static let unavailable = ExitCode(69)
    /// The cluster does not take this user for who it says it is.
    public static let noPermission = ExitCode(77)
    /// Something failed that is not the user's doing.
    public static let failure = ExitCode(1)
    /// The configuration is wrong: systemd's units don't restart on it.
    public static let configuration = ExitCode(78)
}

/// What a configuration says can't be used: a file that it names is missing or is none.
public struct ConfigurationError: Error, Sendable {
    public let message: String

    public init(_ message: String) { self.message = message }
}

/// Runs a command's body; what it throws becomes one line on standard error and an exit code, never a stack trace.
public func reporting(_ body: () async throws -> Void) async throws {
    do { try await body() } catch let error as ExitCode { throw error } catch let error as SettingsError {
        printError("\(error)")
        throw ExitCodes.configuration
    } catch let error as ConfigurationError {
        printError("millrace: \(error.message)")
        throw ExitCodes.configuration
    } catch let error as ClientError where error.code == .noBroker || error.code == .connectFailed {
        printError("millrace: \(error)")
        printError("is a broker running there? --broker HOST:PORT names another one")
        throw ExitCodes.unavailable
    } catch let error as ClientError where error.code == .authenticationFailed {
        printError("millrace: \(error)")
        throw ExitCodes.noPermission
    } catch let error as CleanExit { throw error } catch let error as ValidationError { throw error } catch {
        printError("millrace: \(error)")
        throw ExitCodes.failure
    }
}
