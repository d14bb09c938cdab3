// SPDX-License-Identifier: Apache-2.0
/**
 * What every part of the runtime speaks of: nodes, and how a request can fail.
 *
 * <p>A cluster is a fixed set of {@link io.clowder.api.Node nodes}, each one OSGi framework with a
 * data directory of its own. Services live in the packages below this one; whatever they do, they
 * fail with one exception, {@link io.clowder.api.CoordinationException}, which says why and whether
 * the request may have taken effect.
 */
@Export
@NullMarked
@Version("1.0.0")
package io.clowder.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
