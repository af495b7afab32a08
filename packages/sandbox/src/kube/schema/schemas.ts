import { analysisRun, analysisTemplate, rollout } from './argo.js';
import { canary } from './flagger.js';
import { gateway, httpRoute } from './gateway-api.js';
import { destinationRule, virtualService } from './istio.js';
import { scaledObject } from './keda.js';
import type { Schema } from './schema.js';

/** By kind: what the CustomResourceDefinitions of the custom kinds say. */
export const schemas: Readonly<Record<string, Schema>> = {
  HTTPRoute: httpRoute,
  Gateway: gateway,
  VirtualService: virtualService,
  DestinationRule: destinationRule,
  Rollout: rollout,
  AnalysisRun: analysisRun,
  AnalysisTemplate: analysisTemplate,
  Canary: canary,
  ScaledObject: scaledObject,
};
