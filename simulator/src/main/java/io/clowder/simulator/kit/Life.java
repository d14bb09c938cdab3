// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.kit;

import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** What one core was opened with, was told and did, from its opening to its end. */
final class Life {
  final CoreSetting setting;
  final List<Message> records;
  final List<Step> steps = new ArrayList<>();
  private final long chance;

  /**
   * One event.
   *
   * @param snapshotSlot the last slot that a durable snapshot covers when the event happens
   * @param anchor of that snapshot
   */
  record Step(Event event, List<Action> actions, long snapshotSlot, byte[] anchor) {}

  Life(CoreSetting setting, List<Message> records) {
    this.chance = setting.random().nextLong();
    this.setting = setting;
    this.records = List.copyOf(records);
  }

  /** The setting, with chance of its own that begins anew each time. */
  CoreSetting again() {
    return at(setting.snapshotSlot(), setting.anchor());
  }

  /** The same, with another snapshot. */
  CoreSetting at(long snapshotSlot, byte[] anchor) {
    return new CoreSetting(
        setting.segment(),
        setting.self(),
        setting.members(),
        setting.parameters(),
        snapshotSlot,
        anchor,
        setting.timing(),
        new SplittableRandom(chance));
  }
}
