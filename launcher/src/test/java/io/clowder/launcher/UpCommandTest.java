// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class UpCommandTest {
  private static final String MAIN = "io.clowder.replication~main.";
  private static final String RING = "io.clowder.dht~main.";

  @Test
  void aNewClusterHasAStoreThatItsNodesCanHold() {
    assertEquals(Map.of(MAIN + "replicas", "3", MAIN + "min.insync", "2"), settings(Map.of(), 5));
    assertEquals(Map.of(MAIN + "replicas", "1", MAIN + "min.insync", "1"), settings(Map.of(), 1));
  }

  @Test
  void aNewClusterHasARingThatItsNodesCanServe() {
    assertEquals(Map.of(RING + "replicas", "3", RING + "write.quorum", "2"), ring(Map.of(), 5));
    assertEquals(Map.of(RING + "replicas", "1", RING + "write.quorum", "1"), ring(Map.of(), 1));
    Map<String, String> own = Map.of("io.clowder.dht~peers.mode", "peer");
    assertEquals(own, ring(own, 5));
  }

  @Test
  void whoNamesAStoreGetsNoOther() {
    Map<String, String> own = Map.of("io.clowder.replication~orders.replicas", "5");
    assertEquals(own, settings(own, 5));
  }

  private static Properties ring(Map<String, String> file, int nodes) {
    Properties settings = new Properties();
    settings.putAll(file);
    UpCommand.addRing(settings, nodes);
    return settings;
  }

  private static Properties settings(Map<String, String> file, int nodes) {
    Properties settings = new Properties();
    settings.putAll(file);
    UpCommand.addStore(settings, nodes);
    return settings;
  }
}
