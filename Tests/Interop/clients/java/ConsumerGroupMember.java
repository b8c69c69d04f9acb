import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** ADDRESS TOPIC GROUP: a member of a consumer group (KIP-848) until SIGTERM. Prints what it is given, what it gives up and what it reads, and commits that. */
public class ConsumerGroupMember {
    public static void main(String[] arguments) throws Exception {
        var settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("group.id", arguments[2]);
        settings.put("group.protocol", "consumer");
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "earliest");
        settings.put("reconnect.backoff.max.ms", "500");
        settings.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        settings.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        var consumer = new KafkaConsumer<String, String>(settings);
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                main.join(10_000);
            } catch (InterruptedException ignored) {
                // The process ends anyway.
            }
        }));
        consumer.subscribe(List.of(arguments[1]), new ConsumerRebalanceListener() {
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                print("assigned", partitions);
            }

            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                print("revoked", partitions);
            }
        });
        try {
            while (true) {
                var records = consumer.poll(Duration.ofMillis(100));
                for (var record : records) {
                    System.out.println("read " + record.topic() + " " + record.partition() + " " + record.offset() + " " + record.value());
                }
                if (!records.isEmpty()) consumer.commitAsync();
                System.out.flush();
            }
        } catch (WakeupException end) {
            consumer.close();
        }
    }

    static void print(String what, Collection<TopicPartition> partitions) {
        for (var partition : partitions) System.out.println(what + " " + partition.topic() + " " + partition.partition());
        System.out.flush();
    }
}
