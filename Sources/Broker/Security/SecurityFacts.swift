import KafkaConnection
import Logging
import Telemetry

/// A listener's certificate came into use: connections that are made from now on are served with it.
struct CertificateLoaded: Fact {
    let listener: String
    let certificate: LoadedCertificate

    var message: String {
        "listener \(listener) serves TLS with a certificate for \(certificate.name), which expires at \(certificate.expires)"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.certificatesLoaded, listener).increment()
        metrics.gauge(BrokerMetrics.certificateExpiry, listener).set(Int(certificate.expires.milliseconds / 1000))
    }
}

/// The files of a listener's certificate changed into something that can't be used.
struct CertificateUnusable: Fact {
    let listener: String
    let reason: String

    var level: Logger.Level { .error }
    var message: String {
        "the new certificate of listener \(listener) can't be used, and the one before stays in use: \(reason)"
    }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.certificatesUnusable, listener).increment()
    }
}
