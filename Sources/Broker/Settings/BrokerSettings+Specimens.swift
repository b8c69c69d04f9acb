extension BrokerSettings {
    /// Documents that between them show every key of `broker.yaml` and every way to write it. `config schema` is learned from how they are read; a key that
    /// the decoder asks for and none shows fails a test. Names that a user would choose begin with `example`.
    public static let specimens = [
        """
        data: /var/lib/millrace/broker
        listeners:
          - {name: public, bind: 10.0.0.5:9092, advertise: agg.example:9092, allow_plaintext: true}
          - name: secure
            bind: 0.0.0.0:9093
            advertise: agg.example:9093
            tls: {cert: /etc/millrace/tls/agg.pem, key: /etc/millrace/tls/agg.key, client_ca: /etc/millrace/tls/ca.pem, client_auth: required}
          - {name: users, bind: 127.0.0.1:9094, sasl: [SCRAM-SHA-512, SCRAM-SHA-256, PLAIN], reauthentication: 1h}
        """
    ]
}
