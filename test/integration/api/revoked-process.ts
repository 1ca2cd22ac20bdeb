import { createApi } from '../../../src/api/server.ts';
import { servicesAt } from '../../support/services.ts';

/** The API over a database that others use too, in a process of its own. */
const services = await servicesAt(process.argv[2] ?? '');
const app = await createApi(services);
process.once('disconnect', () => process.exit(0));
process.send?.({ url: await app.listen({ host: '127.0.0.1', port: 0 }) });
