// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.task.TaskAdmin;
import io.clowder.api.task.TaskScheduler;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The services of tasks on this node, for the shell, as they come and go. */
@Component(service = KnownTasks.class)
public final class KnownTasks {
  @Reference(
      name = "scheduler",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable TaskScheduler scheduler;

  @Reference(
      name = "admin",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable TaskAdmin admin;

  /** None, so far. */
  public KnownTasks() {}

  /** Where tasks are submitted; refused if they cannot be now. */
  TaskScheduler scheduler() {
    return present(scheduler);
  }

  /** What looks after them; refused likewise. */
  TaskAdmin admin() {
    return present(admin);
  }

  private static <T> T present(@Nullable T service) {
    if (service == null) {
      throw refused(
          Reason.UNAVAILABLE, "no tasks here now: the consensus group main does not answer");
    }
    return service;
  }
}
