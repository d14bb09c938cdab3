// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.wire.WireWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the committed records made: the entries, and the results of the latest requests of each
 * client. A function of the records alone, so that replicas that applied as many are equal.
 */
final class Contents {
  /** Results remembered for each client, of its highest numbers. */
  static final int RESULTS_PER_CLIENT = 64;

  /** Clients remembered; the one whose last write is the oldest goes first. */
  static final int CLIENTS = 10_000;

  /** A value and its version. */
  record Versioned(byte[] value, long version) {}

  private static final class Client {
    final TreeMap<Long, Answer.Written> results = new TreeMap<>();

    /** The largest number whose result was forgotten. */
    long forgotten;
  }

  private final SortedMap<String, Versioned> entries = new TreeMap<>();
  private final LinkedHashMap<Long, Client> clients = new LinkedHashMap<>();

  void apply(LogRecord record) {
    for (LogRecord.Effect effect : record.effects()) {
      if (effect.value() == null) {
        entries.remove(effect.key());
      } else {
        entries.put(effect.key(), new Versioned(effect.value(), record.seq()));
      }
    }
    if (!record.request().equals(RequestId.NONE)) {
      remember(record);
    }
  }

  private void remember(LogRecord record) {
    long id = record.request().client();
    Client client = clients.remove(id);
    if (client == null) {
      client = new Client();
      if (clients.size() == CLIENTS) {
        clients.remove(clients.keySet().iterator().next());
      }
    }
    clients.put(id, client); // At the end: the order is that of the last writes.
    client.results.put(record.request().number(), record.result());
    if (client.results.size() > RESULTS_PER_CLIENT) {
      client.forgotten = client.results.pollFirstEntry().getKey();
    }
  }

  @Nullable Versioned get(String key) {
    return entries.get(key);
  }

  /** What became of a request; null if it is not remembered. */
  Answer.@Nullable Written result(RequestId request) {
    Client client = clients.get(request.client());
    return client == null ? null : client.results.get(request.number());
  }

  /** Whether nobody can tell any more if a request was applied. */
  boolean isForgotten(RequestId request) {
    Client client = clients.get(request.client());
    return client != null && request.number() <= client.forgotten;
  }

  /** All of it; equal contents give equal bytes. */
  byte[] encode() {
    WireWriter out = new WireWriter(1024).writeVarLong(entries.size());
    entries.forEach(
        (key, it) -> out.writeString(key).writeVarLong(it.version).writeBytes(it.value));
    out.writeVarLong(clients.size());
    for (Map.Entry<Long, Client> entry : clients.entrySet()) {
      Client client = entry.getValue();
      out.writeLong(entry.getKey()).writeVarLong(client.forgotten);
      out.writeVarLong(client.results.size());
      client.results.forEach((number, it) -> Answer.write(it, out.writeVarLong(number)));
    }
    return out.toByteArray();
  }
}
