// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class ChenConfiguratorTest {
  /**
   * The example of section 5: T_D^U 30 s, T_MR^L 30 days, T_M^U 60 s; loss 1 %, E(D) 0.02 s and
   * V(D) 0.02 s², which gives η = 9.71 s. Here the mean delay is taken off beforehand.
   */
  @Test
  void theExampleOfThePaper() {
    var configurator = new ChenConfigurator(30 - 0.02, 30 * 86_400, 60, 0.01);
    var setting = configurator.setting(0.01, 0.02);
    assertTrue(setting.isFeasible());
    assertEquals(9.71, setting.interval(), 0.05);
    assertEquals(30 - 0.02, setting.interval() + setting.margin(), 1e-9);
  }

  @Test
  void aWorseLineNeedsMoreHeartbeats() {
    var configurator = new ChenConfigurator(2.4, 86_400, 60, 0.01);
    double last = Double.POSITIVE_INFINITY;
    for (double loss : new double[] {1e-4, 1e-3, 0.01, 0.05, 0.2}) {
      var setting = configurator.setting(loss, 1e-4);
      assertTrue(setting.isFeasible() && setting.interval() < last);
      last = setting.interval();
    }
  }

  @Test
  void mistakesThatEndSoonLimitTheInterval() {
    assertTrue(new ChenConfigurator(2.4, 1, 0.2, 0.01).setting(0, 1e-6).interval() <= 0.2);
  }

  @Test
  void whatCannotBeIsSaid() {
    var setting = new ChenConfigurator(0.1, 1e9, 1, 0.05).setting(0.3, 0.01);
    assertFalse(setting.isFeasible());
    assertTrue(setting.interval() >= 0.05);
    assertEquals(0.1, setting.interval() + setting.margin(), 1e-12);
  }
}
