// Starts the demo. Given to node as an argument, tsx would be loaded anew by every thread of the service.
import { register } from 'tsx/esm/api';

register();
await import('./demo.ts');
