// The parser imports its schema without an import attribute, which Node and Jest deprecate; jest.config.js sends that import here.
import schema from '../../../node_modules/@actions/workflow-parser/dist/workflow-v1.0.min.json' with { type: 'json' };

// biome-ignore lint/style/noDefaultExport: it stands for a JSON module, whose export is the default one
export default schema;
